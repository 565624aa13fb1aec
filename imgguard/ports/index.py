"""The search index as services see it."""

from typing import Protocol

from imgguard.index.base import Vectors
from imgguard.index.fusion import FusedHit
from imgguard.ports.catalogue import Generation


class ReferenceIndex(Protocol):
    """The searchable contents of the active generation, kept current with the catalogue. Thread safe.

    Raises IndexNotReady when no generation is active, IndexUnavailable, StoreUnavailable.
    """

    @property
    def generation(self) -> Generation | None:
        """The one that was searched last, or loaded."""
        ...

    def __len__(self) -> int: ...

    def refresh(self) -> int:
        """Take over what changed in the catalogue, by whichever process; returns the number of changes."""
        ...

    def search(self, views: Vectors, limit: int) -> list[FusedHit]:
        """The ``limit`` contents nearest to any of ``views``, (n, dimension); sees all that was registered before."""
        ...

    def save(self) -> None:
        """Write what is new to disk, and drop what was erased from it. A crash at any moment costs only time."""
        ...

    def rebuild(self) -> int:
        """Forget the files and build anew from the catalogue; returns the number of contents."""
        ...

    def close(self) -> None: ...
