"""What verification says: one step after the other, the level that they reach, and what that proves."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Final

VERSION = 1


class Result(StrEnum):
    """Of a step. ``failed``: something is wrong; ``insufficient``: nothing is, and it is not enough."""

    PASSED = "passed"
    INSUFFICIENT = "insufficient"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


class Level(StrEnum):
    """How much holds. Each level includes those before it."""

    NONE = "none"
    INTEGRITY = "integrity"
    LOGGED = "logged"
    TIMESTAMPED = "timestamped"
    WITNESSED = "witnessed"


class StepNumber(IntEnum):
    """In this order."""

    CONTAINER = 1
    MANIFEST = 2
    SEAL = 3
    RECORDS = 4
    INCLUSION = 5
    CHECKPOINT = 6
    WITNESSES = 7
    TIMESTAMPS = 8
    OPENTIMESTAMPS = 9
    TIMES = 10


NAMES: Final = {
    StepNumber.CONTAINER: "the ZIP is in its one form",
    StepNumber.MANIFEST: "every file has the digest of the manifest",
    StepNumber.SEAL: "the manifest is sealed",
    StepNumber.RECORDS: "the records fit packet.json, the files and the leaves of the log",
    StepNumber.INCLUSION: "the leaves are in the tree of their checkpoint",
    StepNumber.CHECKPOINT: "the checkpoint is signed by a log of the trust file",
    StepNumber.WITNESSES: "enough witnesses of the trust file have signed the checkpoint",
    StepNumber.TIMESTAMPS: "authorities of the trust file have timestamped the checkpoint",
    StepNumber.OPENTIMESTAMPS: "blocks of Bitcoin that the trust file names attest the checkpoint (OpenTimestamps)",
    StepNumber.TIMES: "the times do not contradict each other",
}

_NEEDS: Final = {
    Level.INTEGRITY: (StepNumber.CONTAINER, StepNumber.MANIFEST, StepNumber.RECORDS, StepNumber.INCLUSION),
    Level.LOGGED: (StepNumber.SEAL, StepNumber.CHECKPOINT),
    Level.TIMESTAMPED: (StepNumber.TIMESTAMPS, StepNumber.TIMES),
    Level.WITNESSED: (StepNumber.WITNESSES,),
}
"""What each level asks for beyond those before it. A seal by somebody unknown is enough for integrity alone."""

_NO_AUTHORITY: Final = frozenset(("no_timestamp", "no_independent_timestamp"))
"""Reasons of the step `TIMESTAMPS` for which blocks of Bitcoin make up: nothing is wrong, and nobody independent said
a time. Where `packet.json` claims more than the trust file confirms, they do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``reason`` is a word for programs, None for a step that passed; ``file`` the file of the packet at fault."""

    number: StepNumber
    result: Result
    reason: str | None = None
    detail: str = ""
    file: str | None = None

    @property
    def name(self) -> str:
        return NAMES[self.number]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """Of one packet. ``level_asked`` is what the exit code is about; ``proven`` and ``not_proven`` are sentences.

    ``packet_id`` is None as long as `packet.json` has not been read.
    """

    packet_sha256: str
    packet_id: str | None
    level_asked: Level
    steps: tuple[Step, ...]
    proven: tuple[str, ...] = field(default=())
    not_proven: tuple[str, ...] = field(default=())

    @property
    def level(self) -> Level:
        """The highest that holds; none when any step has failed, whatever the others say."""
        return level_of(self.steps)

    @property
    def holds(self) -> bool:
        """Whether the level that was asked for is reached."""
        return _RANKS.index(self.level) >= _RANKS.index(self.level_asked) > 0

    @property
    def origin_verified(self) -> bool:
        """Whether seal and log are those of the trust file."""
        return _RANKS.index(self.level) >= _RANKS.index(Level.LOGGED)

    def to_json(self) -> str:
        """The report as one JSON object in several lines."""
        return json.dumps(self.to_dict(), indent=2)

    def to_dict(self) -> dict[str, Any]:
        """The report for programs, as plain JSON (docs/evidence-packet.md)."""
        return {
            "version": VERSION,
            "packet_id": self.packet_id,
            "packet_sha256": self.packet_sha256,
            "level_asked": self.level_asked.value,
            "level_reached": self.level.value,
            "holds": self.holds,
            "origin_verified": self.origin_verified,
            "steps": [
                {
                    "number": step.number.value,
                    "name": step.name,
                    "result": step.result.value,
                    "reason": step.reason,
                    "detail": step.detail,
                    "file": step.file,
                }
                for step in self.steps
            ],
            "proven": list(self.proven),
            "not_proven": list(self.not_proven),
        }

    def to_text(self) -> str:
        """The report for people, in lines."""
        lines = [f"packet   {self.packet_id or '(not read)'}", f"SHA-256  {self.packet_sha256}", ""]
        for step in self.steps:
            lines.append(f"{step.number.value:2}  {step.result.value.upper():12}  {step.name}")
            said = ": ".join(part for part in (step.file, step.detail) if part)
            if said:
                lines.append(f"{'':18}{said}" + (f" [{step.reason}]" if step.reason else ""))
        lines += _list("Proven", self.proven) + _list("Not proven", self.not_proven)
        verdict = "holds" if self.holds else "DOES NOT HOLD"
        lines += ["", f"Level reached: {self.level.value}. Level asked for: {self.level_asked.value}: it {verdict}."]
        if not self.origin_verified:
            lines.append("ORIGIN NOT VERIFIED: nothing here says who made this packet, or when.")
        return "\n".join(_shown(line) for line in lines) + "\n"


def level_of(steps: Collection[Step]) -> Level:
    """The highest level of which all that it needs has passed, and nothing has failed at all."""
    if any(step.result is Result.FAILED for step in steps):
        return Level.NONE
    passed = {step.number for step in steps if step.result is Result.PASSED}
    if StepNumber.OPENTIMESTAMPS in passed:
        lacking = (step for step in steps if step.number is StepNumber.TIMESTAMPS)
        passed |= {step.number for step in lacking if step.reason in _NO_AUTHORITY}
    reached = Level.NONE
    for level, needed in _NEEDS.items():
        if not passed.issuperset(needed):
            break
        reached = level
    return reached


_RANKS: Final = list(Level)


def _list(heading: str, sentences: tuple[str, ...]) -> list[str]:
    return ["", heading, *(f"- {sentence}" for sentence in sentences)] if sentences else []


def _shown(line: str) -> str:
    """Names in a packet are a stranger's: what could steer a terminal, or turn the line around, is written out."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)
