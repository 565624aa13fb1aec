"""The JSON of evidence packets, with the examples under which the API describes it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from imgguard.api.schemas import Text
from imgguard.api.work_schemas import CHECK, JOB
from imgguard.evidence.packet.model import Purpose
from imgguard.services import packet_views
from imgguard.services.member_packets import MOST_SUBJECTS, PacketOrder

_PACKET_ID = "pkt_01jnv7m4e7g9j1m3p5r7t9w1y3"
_REFERENCE_ID = "ref_01jnv7kq6f8h0k2m4p6r8t0v2x"
_AT = "2026-03-01T12:00:00Z"

PACKET: dict[str, Any] = {
    "packet_id": _PACKET_ID,
    "organisation_id": JOB["organisation_id"],
    "member_id": JOB["member_id"],
    "state": "kept",
    "purpose": "complaint",
    "on_behalf_of": "Sample Studio",
    "references": [
        {
            "reference_id": _REFERENCE_ID,
            "existed_no_later_than": [
                {"at": "2026-02-14T09:31:07Z", "by": "Example TSA", "basis": "timestamp", "trust": "independent"}
            ],
        }
    ],
    "findings": [CHECK["finding_id"]],
    "missing": [
        {
            "code": "no_witness",
            "detail": f"No independent witness has seen the log that has the records of: {_REFERENCE_ID}.",
        }
    ],
    "against": [],
    "byte_length": 1894213,
    "sha256": CHECK["sha256"],
    "created_at": _AT,
    "expires_at": "2026-03-31T12:00:00Z",
    "ended_at": None,
    "file": f"/v1/packets/{_PACKET_ID}/file",
}


def _with(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [example]})


_Id = Annotated[str, Field(min_length=1, max_length=64)]


class PacketAsked(BaseModel):
    """What a packet is to be about, for whom, and what for."""

    model_config = _with({"ids": [CHECK["finding_id"]], "purpose": "complaint"})

    ids: list[_Id] = Field(
        min_length=1,
        max_length=MOST_SUBJECTS,
        description="Own references (`ref_...`) and own checks (`fnd_...`); a check brings the one that it matches.",
    )
    purpose: Purpose = Field(description="The same facts speak against the one side or the other.")
    on_behalf_of: Text | None = Field(default=None, description="Default: the organisation.")
    with_originals: bool = Field(default=True, description="Without them, digests and reduced pictures are enclosed.")

    @property
    def order(self) -> PacketOrder:
        return PacketOrder(
            ids=tuple(self.ids),
            purpose=self.purpose,
            on_behalf_of=self.on_behalf_of,
            with_originals=self.with_originals,
        )


class Packet(packet_views.PacketView):
    """A packet and what it states. Of one that is erased only ids and times are left."""

    model_config = _with(PACKET)

    file: str | None = Field(description="Where its file is, while it is kept.")
