"""What a packet is made of, before it has names for its files: whoever has a store gathers this."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from imgguard.evidence.packet.finding import PacketFinding
from imgguard.evidence.packet.model import MadeBy, Purpose, Subject
from imgguard.evidence.packet.reference import PacketReference
from imgguard.provenance.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorEvidence:
    """Of one record: a second `.tlog-proof`, and the OpenTimestamps file about the text of its checkpoint."""

    proof: bytes = field(repr=False)
    file: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvidence:
    """Of one record: its opening (canonical JSON), its leaf, its `.tlog-proof`, and timestamp tokens of the text of the
    proof's checkpoint, which is best the smallest that was timestamped. At most 99 tokens."""

    opening: bytes = field(repr=False)
    leaf: bytes = field(repr=False)
    proof: bytes = field(repr=False)
    timestamps: tuple[bytes, ...] = field(default=(), repr=False)
    anchor: AnchorEvidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceContents:
    """``stated`` without paths and times, which are added. ``attached``: files of its proofs, by SHA-256.

    ``earlier_elsewhere``: somebody else registered the same picture here before. ``stated_later``: more was stated or
    attached after the registration, which a packet does not enclose.
    """

    stated: PacketReference
    evidence: LogEvidence
    original: bytes | None = field(default=None, repr=False)
    thumbnail: bytes | None = field(default=None, repr=False)
    attached: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    earlier_elsewhere: bool = False
    stated_later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingContents:
    """``stated`` without paths, which are added. ``pictures``: the evidence drawn, JPEG or PNG by name.

    ``document``: what the log's record of the finding has the digest of; it is enclosed only with that record.
    ``capture``: of the record that the listing picture was fetched; ``stated`` has its URL when, and only when, it is
    there.
    ``names_others``: neither document nor record is enclosed, since the document names originals of others.
    """

    stated: PacketFinding
    evidence: LogEvidence | None = None
    capture: LogEvidence | None = None
    document: bytes | None = field(default=None, repr=False)
    listing: bytes | None = field(default=None, repr=False)
    thumbnail: bytes | None = field(default=None, repr=False)
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    names_others: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketContents:
    """``checkpoint``: the newest of the log. ``policy``: the tlog-policy that the installation recommends.

    ``trust``: whom the installation believes; it says how independent each time is.
    """

    packet_id: str
    created_at: datetime
    made_by: MadeBy
    purpose: Purpose
    on_behalf_of: str
    subjects: tuple[Subject, ...]
    references: tuple[ReferenceContents, ...]
    findings: tuple[FindingContents, ...]
    checkpoint: bytes = field(repr=False)
    policy: bytes = field(repr=False)
    trust: Trust = field(repr=False)
