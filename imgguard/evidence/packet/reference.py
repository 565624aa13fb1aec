"""A registered picture as `packet.json` has it: digests, claims, metadata, and who says since when it has existed."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Literal

from imgguard.evidence.packet.values import (
    Count,
    Id,
    Keyword,
    LongText,
    PacketObject,
    PacketPath,
    Sha256,
    Side,
    Text,
    UtcTime,
    given,
)
from imgguard.registry.records import ReferenceStatus


class Trust(StrEnum):
    """How independent of the installation it is who states a time, by the trust file of whoever made the packet."""

    QUALIFIED = "qualified"
    INDEPENDENT = "independent"
    SELF_ISSUED = "self_issued"
    UNKNOWN = "unknown"

    @property
    def counts(self) -> bool:
        """Whether a time of this kind can be held against the installation's own interest."""
        return self in (Trust.QUALIFIED, Trust.INDEPENDENT)


class Basis(StrEnum):
    """What a time rests on."""

    TIMESTAMP = "timestamp"  # RFC 3161
    COSIGNATURE = "cosignature"  # of a witness of the log
    LOG = "log"  # the log's own word


class OriginalFile(PacketObject):
    """The registered file; ``name`` as its registrant gave it."""

    name: Text
    sha256: Sha256
    bytes: Count
    media_type: Text


class OriginalPixels(PacketObject):
    """``sha256`` of the decoded upright pixels, as ``decoder`` gives them."""

    sha256: Sha256
    width: Side
    height: Side
    decoder: Text


class ClaimedDate(PacketObject):
    """A date as the claimant wrote it; ``event``: of what, such as `taken`, `edited` or `published`."""

    event: Text
    value: Text


class Claims(PacketObject):
    """What the claimant states. Nobody has verified any of it."""

    dates: tuple[ClaimedDate, ...] = ()
    places: tuple[Text, ...] = ()
    urls: tuple[Text, ...] = ()
    statement: LongText | None = None

    @property
    def empty(self) -> bool:
        return not (self.dates or self.places or self.urls or self.statement)


class DeclaredTime(PacketObject):
    """A time that the file says of itself, such as ``exif:DateTimeOriginal``; ``offset`` None where it says none."""

    source: Text
    value: Text
    offset: Text | None


class ContentCredentials(PacketObject):
    """What C2PA says. ``valid``: intact, the signer is not in the trust list; ``trusted``: intact, and it is."""

    state: Literal["none", "valid", "trusted", "invalid", "unreadable"]
    signer: Text | None = None
    device: Text | None = None
    actions: tuple[Text, ...] = ()


class Metadata(PacketObject):
    """What the file says of itself; anybody can write that."""

    times: tuple[DeclaredTime, ...] = ()
    camera: Text | None = None
    software: Text | None = None
    content_credentials: ContentCredentials | None = None


class Proof(PacketObject):
    """A file that was attached to the registration, such as a RAW file or a contract; ``path`` None: not enclosed."""

    kind: Keyword
    name: Text
    sha256: Sha256
    bytes: Count
    path: PacketPath | None


class TimeBound(PacketObject):
    """The bytes existed no later than ``at``, says ``by``; ``file`` is what shows it."""

    at: UtcTime
    by: Text
    trust: Trust
    basis: Basis
    file: PacketPath | None


class Anchor(PacketObject):
    """``file`` (OpenTimestamps) is about the text of the checkpoint of ``proof``. It names ``blocks`` of Bitcoin and
    promises of ``calendars``, and states no time: that of a block is for whoever reads this to look up."""

    proof: PacketPath
    file: PacketPath
    blocks: tuple[Count, ...]
    calendars: tuple[Text, ...]


class PacketReference(PacketObject):
    """A registered picture. ``registered_by``: the name as declared, None where it is not to be told.

    ``asset`` is the registered file; None: only its digest is enclosed. ``thumbnail`` is an upright sRGB picture.
    """

    reference_id: Id
    title: Text
    registered_by: Text | None
    registered_at: UtcTime
    status: ReferenceStatus
    file: OriginalFile
    pixels: OriginalPixels
    claims: Claims
    metadata: Metadata
    proofs: tuple[Proof, ...]
    existed_no_later_than: tuple[TimeBound, ...]
    asset: PacketPath | None
    thumbnail: PacketPath | None
    record: PacketPath | None
    opening: PacketPath | None
    leaf: PacketPath | None
    log_proof: PacketPath | None
    anchor: Anchor | None = None

    def paths(self) -> Iterator[str]:
        """Every path that is named here."""
        named = (self.asset, self.thumbnail, self.record, self.opening, self.leaf, self.log_proof)
        attached = (proof.path for proof in self.proofs)
        anchored = () if self.anchor is None else (self.anchor.proof, self.anchor.file)
        yield from given((*named, *attached, *(bound.file for bound in self.existed_no_later_than), *anchored))
