"""What goes between the service and a process that verifies a packet.

A `Request` goes with its start. What it writes when it is done is `READY`, and the report, or why there is none, as one
line of JSON. That is used only after `parse` has checked its form. A verifier that a packet has taken over can lie
about that packet, and about nothing else: the next one is verified by another process.
"""

import json
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imgguard.evidence.packet.verifying.steps import VerificationReport

READY = b"ready\n"
"""Comes first, before the packet is looked at: without it the process did not start."""

MOST_BYTES = 4_000_000
"""A report on a packet of 10,000 files has less: it names the first of what is wrong, and twenty of what is proven."""

_LONGEST = 1_000


class BadReply(Exception):
    """What was written is not what a verifier writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """``level``: which is asked for. ``trust_file``: the number of an open file. ``memory_bytes``: of address space,
    besides the packet itself. ``seconds``: of processor time."""

    level: str
    trust_file: int | None
    memory_bytes: int
    seconds: float

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Request":
        return cls(**json.loads(text))


class StepReport(BaseModel):
    """One of the ten steps, in their order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = Field(ge=1, le=10)
    name: str
    result: Literal["passed", "failed", "insufficient", "not checked"]
    reason: str | None = Field(description="A word for programs; null when it has passed. docs/evidence-packet.md.")
    detail: str
    file: str | None = Field(description="The file of the packet at fault.")


class PacketReport(BaseModel):
    """What `imgguard packet verify --json` prints."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    packet_id: str | None = Field(description="Null as long as `packet.json` could not be read.")
    packet_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    level_asked: Literal["integrity", "logged", "timestamped", "witnessed"]
    level_reached: Literal["none", "integrity", "logged", "timestamped", "witnessed"]
    holds: bool = Field(description="Whether `level_asked` is reached.")
    origin_verified: bool = Field(
        description="Whether seal and log are those of the trust file. When false: ORIGIN NOT VERIFIED, nothing says "
        "who made this packet, or when."
    )
    steps: list[StepReport]
    proven: list[str] = Field(description="Sentences; none when a step has failed.")
    not_proven: list[str]


class _Reply(BaseModel):
    """One of the two."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    report: PacketReport | None = None
    problem: str | None = Field(default=None, max_length=_LONGEST)


def reply(outcome: VerificationReport | str) -> bytes:
    """What the process writes behind `READY`. A text is why the trust file cannot be used."""
    if isinstance(outcome, str):
        return _Reply(problem=outcome[:_LONGEST]).model_dump_json().encode()
    return _Reply(report=PacketReport.model_validate(outcome.to_dict())).model_dump_json().encode()


def parse(data: bytes) -> PacketReport | str:
    """The other side of `reply`. Raises BadReply."""
    try:
        found = _Reply.model_validate_json(data)
    except (ValidationError, ValueError) as error:
        raise BadReply from error
    outcome = found.problem if found.report is None else found.report
    if outcome is None or None not in (found.problem, found.report):
        raise BadReply
    return outcome
