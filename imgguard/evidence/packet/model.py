"""`packet.json`, version 1: everything that an evidence packet states, as data.

The reports, the README and the verifier read this and nothing else. Strict: a field that is not named here, a time that
is not in UTC, a path that leads out of the packet or to nothing in it, is an error (pydantic's ValidationError).
Times that the installation itself states (`created_at`, `registered_at`, `checked_at`, `fetched_at`) are its own word,
and every report labels them so; only `existed_no_later_than` can hold the word of somebody else.
"""

from collections import Counter
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from imgguard.evidence.packet.finding import PacketFinding
from imgguard.evidence.packet.reference import PacketReference
from imgguard.evidence.packet.values import Count, Id, Keyword, PacketObject, PacketPath, Sha256, Text, UtcTime
from imgguard.provenance.canonical import to_canonical


class Purpose(StrEnum):
    """What the packet was made for."""

    RECORD = "record"  # to show that something was registered
    COMPLAINT = "complaint"
    DEFENCE = "defence"


class Remark(PacketObject):
    """A sentence in both languages, with a stable code."""

    code: Keyword
    en: Text
    zh: Text


class MadeBy(PacketObject):
    """``installation`` is the origin of its log; ``sealed_by`` says whose seal the packet carries."""

    installation: Text
    software: Text
    sealed_by: Text


class Subject(PacketObject):
    """What the packet is about."""

    kind: Literal["reference", "finding", "case"]
    id: Id


class EnclosedFile(PacketObject):
    """A file of the packet. `packet.json`, the READMEs, the reports and META-INF are not among them."""

    path: PacketPath
    sha256: Sha256
    bytes: Count


class Packet(PacketObject):
    """All of `packet.json`. The order of ``references`` and ``findings`` is the order in which they matter.

    ``missing``: what the packet lacks. ``against``: what speaks against whoever asked for it. ``not_proven``: fixed
    sentences (`imgguard.evidence.packet.words.not_proven`).
    """

    version: Literal[1]
    packet_id: Id
    created_at: UtcTime
    made_by: MadeBy
    purpose: Purpose
    on_behalf_of: Text
    subjects: tuple[Subject, ...]
    references: tuple[PacketReference, ...]
    findings: tuple[PacketFinding, ...]
    missing: tuple[Remark, ...]
    against: tuple[Remark, ...]
    not_proven: tuple[Remark, ...] = Field(min_length=1)
    files: tuple[EnclosedFile, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, names in (
            ("file", [file.path for file in self.files]),
            ("reference", [reference.reference_id for reference in self.references]),
            ("finding", [finding.finding_id for finding in self.findings]),
        ):
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise ValueError(f"{what} {twice[0]} is named twice")
        enclosed = {file.path for file in self.files}
        named = [path for reference in self.references for path in reference.paths()]
        named += [path for finding in self.findings for path in finding.paths()]
        absent = sorted(set(named) - enclosed)
        if absent:
            raise ValueError(f"{absent[0]} is named but is not among the files")
        known = {reference.reference_id for reference in self.references}
        for finding in self.findings:
            if finding.reference_id is not None and finding.reference_id not in known:
                raise ValueError(f"{finding.finding_id} names {finding.reference_id}, which is not in the packet")
        return self

    def reference(self, reference_id: str | None) -> PacketReference | None:
        """The reference with that id; None when there is none."""
        return next((one for one in self.references if one.reference_id == reference_id), None)


def packet_json(packet: Packet) -> bytes:
    """The bytes of `packet.json`, which the reports carry as well: canonical JSON (RFC 8785)."""
    return to_canonical(packet.model_dump(mode="json"))
