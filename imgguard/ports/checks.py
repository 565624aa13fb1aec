"""The database of who had what checked, and what is needed to show it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from imgguard.ports.catalogue import StoredFinding
from imgguard.ports.network import Capture
from imgguard.registry.accounts import AuditEvent, Disclosure
from imgguard.registry.records import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """For which organisation a check was made; ``intended_use`` is JSON text."""

    organisation_id: str
    owner_id: str
    member_id: str
    key_id: str | None
    intended_use: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCheck:
    """A finding and who asked for it: nobody, when it was made at the console.

    ``standings``: JSON text by reference, how each match stood then. ``kept_until``: how long the query's bytes are
    kept; None when they are not. ``capture``: where they were fetched; None when they were sent.
    """

    finding: StoredFinding
    asker: Asker | None
    standings: Mapping[str, str]
    kept_until: datetime | None
    capture: Capture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A reference, what its owner lets strangers see of it, and of its content (None once it is erased) the size in
    pixels and the JSON text of its credentials."""

    reference: Reference
    disclosure: Disclosure
    size: tuple[int, int] | None
    credentials: str | None = None


class CheckStore(Protocol):
    """Reads only: checks are written with their finding, by `Catalogue.add_finding`. Thread safe.

    Every method raises StoreUnavailable when the database cannot be used.
    """

    def check(self, finding_id: str) -> MadeCheck:
        """Raises NotFound."""
        ...

    def checks(
        self, *, organisation_id: str | None = None, after: str = "", limit: int = 1000, newest_first: bool = False
    ) -> Sequence[MadeCheck]:
        """In order of ``finding_id`` or the reverse, those behind ``after``: of one organisation, or of all and of the
        console."""
        ...

    def named(self, finding_ids: Collection[str]) -> Sequence[MadeCheck]:
        """In order of ``finding_id``; one that is not there is absent."""
        ...

    def erase(self, finding_id: str, *, at: datetime, event: AuditEvent) -> None:
        """Destroy the finding, who asked for it, how its matches stood, where it was fetched, and its file name among
        the items of jobs; and the bytes of the query, unless another finding or a content has the same.

        Raises NotFound, InvalidTransition when somebody decided about one of its matches.
        """
        ...

    def erase_undecided(
        self, finding_ids: Sequence[str], *, at: datetime, event: Callable[[str], AuditEvent]
    ) -> Sequence[str]:
        """Those of them that nobody decided about, as `erase` does, all in one transaction; returns which."""
        ...

    def originals(self, reference_ids: Collection[str]) -> Mapping[str, Original]:
        """By id; one that is not there is absent. Owners without accounts disclose outlines."""
        ...

    def perceptual_hashes(self, *, after: int = 0, limit: int = 10_000) -> Sequence[tuple[int, bytes]]:
        """Number of searchable contents and their stored PDQ, in order of number, behind ``after``."""
        ...

    def perceptual_hashes_of(self, numbers: Collection[int]) -> Sequence[tuple[int, bytes]]:
        """The same of these contents; of one that is not searchable, or not there, nothing."""
        ...

    def shown_references(
        self, numbers: Collection[int], *, owner_id: str, policies: Collection[Disclosure]
    ) -> Sequence[tuple[int, str]]:
        """Number and id of the active references of these contents that are ``owner_id``'s, or whose owner's policy is
        one of ``policies``."""
        ...
