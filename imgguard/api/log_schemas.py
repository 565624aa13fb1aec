"""The JSON of the transparency log."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from imgguard.api.examples import Example
from imgguard.provenance.records import Kind

_HEAD: Example = {
    "origin": "log.example.org",
    "vkey": "log.example.org+f67dab23+ARpYxLBx8QZ3vR0cJ6pKx0m6b1bS2b0i8nq3Jb8S6b8u",
    "earlier_vkeys": [],
    "size": 1,
    "root": "2be6d3f5b0f4c6c5c2a6b8f9d0e1c2b3a4958677685940312213243546576879",
    "signed_at": "2026-03-01T12:00:00Z",
}
_RECORD: Example = {
    "position": 0,
    "kind": "registration",
    "leaf": '{"claimant":"…","commit":"…","kind":"registration","received_at":"2026-03-01T12:00:00Z","v":1}',
    "opening": '{"claimant":{…},"record":{…},"salt":"…","v":1}',
}


class LogHead(BaseModel):
    """``vkey`` verifies the newest checkpoint (C2SP signed-note). Nothing but zero before the first one."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [_HEAD]})

    origin: str | None
    vkey: str | None
    earlier_vkeys: list[str] = Field(description="Keys that signed earlier checkpoints, the oldest first.")
    size: int
    root: str | None = Field(description="In hex.")
    signed_at: datetime | None


class LoggedRecord(BaseModel):
    """``leaf`` is public, ``opening`` is not; both are canonical JSON (RFC 8785)."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [_RECORD]})

    position: int
    kind: Kind
    leaf: str
    opening: str
