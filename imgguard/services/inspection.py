"""What is in the store: references, findings, figures."""

from collections.abc import Iterator
from dataclasses import dataclass

from imgguard.errors import NotFound
from imgguard.fingerprint.fingerprint import DescriptorKind
from imgguard.imaging.credentials import ContentCredentials
from imgguard.ports import Catalogue, StoredFinding
from imgguard.registry.names import owner_name
from imgguard.registry.records import Content, Reference, ReferenceStatus
from imgguard.services import findings
from imgguard.services.captures import captured_view
from imgguard.services.contract import CheckLine
from imgguard.services.credentials import credentials_of

BUDGET_BYTES = 100_000
"""What may be stored per reference beside the original."""

_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceDetail:
    """A reference and, unless it is erased, its content, what its file says of its making, and the bytes of each of its
    descriptors, by kind."""

    reference: Reference
    content: Content | None
    descriptor_bytes: dict[str, int]
    credentials: ContentCredentials | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingDetail:
    """A stored finding in the form of the contract, and the whole document behind it."""

    stored: StoredFinding
    document: findings.FindingDocument
    line: CheckLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """``counts`` as the catalogue gives them. Bytes per content beside its original, in all and by descriptor kind."""

    counts: dict[str, int]
    bytes_per_reference: float
    bytes_by_kind: dict[str, float]
    budget_bytes: int
    home_bytes: int

    @property
    def within_budget(self) -> bool:
        return self.bytes_per_reference <= self.budget_bytes


class Inspection:
    """Reads only; needs neither weights nor index. Thread safe."""

    def __init__(self, *, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def references(self, *, owner: str | None = None, status: ReferenceStatus | None = None) -> Iterator[Reference]:
        """All of them, oldest first. Raises NotFound for an owner who has registered nothing, ConfigurationError."""
        owner = None if owner is None else owner_name(owner)
        if owner is not None and self._catalogue.owner(owner) is None:
            raise NotFound(f"no owner named {owner!r}")
        after = ""
        while page := self._catalogue.references(owner=owner, status=status, after=after, limit=_PAGE):
            yield from page
            after = page[-1].reference_id

    def has_active_references(self) -> bool:
        """Whether there is anything that a check could find."""
        return bool(self._catalogue.references(owner=None, status=ReferenceStatus.ACTIVE, after="", limit=1))

    def reference(self, reference_id: str) -> ReferenceDetail:
        """Raises NotFound."""
        reference = self._catalogue.reference(reference_id)
        if reference.sha256 is None:
            return ReferenceDetail(reference=reference, content=None, descriptor_bytes={})
        sizes: dict[str, int] = {}
        for descriptor in self._catalogue.descriptors(reference.sha256, tuple(DescriptorKind)):
            sizes[descriptor.kind.value] = sizes.get(descriptor.kind.value, 0) + len(descriptor.data)
        content = self._catalogue.content(reference.sha256)
        return ReferenceDetail(
            reference=reference,
            content=content,
            descriptor_bytes=sizes,
            credentials=credentials_of(content.credentials),
        )

    def finding(self, finding_id: str) -> FindingDetail:
        """Raises NotFound, DigestMismatch."""
        return self._detail(self._catalogue.finding(finding_id))

    def findings(self) -> Iterator[FindingDetail]:
        """All of them, oldest first. Raises DigestMismatch at one that is damaged."""
        after = ""
        while page := self._catalogue.findings(after=after, limit=_PAGE):
            yield from map(self._detail, page)
            after = page[-1].finding_id

    def _detail(self, stored: StoredFinding) -> FindingDetail:
        document = findings.read(stored)
        captured = captured_view(self._catalogue.capture(stored.finding_id))
        line = findings.line_of(document, self._catalogue).model_copy(update={"captured": captured})
        return FindingDetail(stored=stored, document=document, line=line)

    def figures(self, *, home_bytes: int) -> Figures:
        """Counts and sizes; ``home_bytes`` is what the home folder takes on the disk."""
        counts = self._catalogue.statistics()
        contents = max(counts.get("contents", 0), 1)
        return Figures(
            counts=counts,
            bytes_per_reference=counts.get("descriptor_bytes", 0) / contents,
            bytes_by_kind={kind.value: counts.get(f"descriptor_bytes_{kind}", 0) / contents for kind in DescriptorKind},
            budget_bytes=BUDGET_BYTES,
            home_bytes=home_bytes,
        )
