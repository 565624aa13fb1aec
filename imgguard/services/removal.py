"""End a registration: withdraw it (history stays) or erase it (a tombstone stays)."""

from imgguard.ports import BlobStore, Catalogue, Clock, ReferenceIndex
from imgguard.registry.records import Reference


class Removal:
    """Thread safe."""

    def __init__(self, *, catalogue: Catalogue, blobs: BlobStore, index: ReferenceIndex, clock: Clock) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._index = index
        self._clock = clock

    def withdraw(self, reference_id: str) -> Reference:
        """No longer matched from now on. Raises NotFound, InvalidTransition."""
        return self._catalogue.withdraw(reference_id, at=self._clock.now())

    def erase(self, reference_id: str) -> Reference:
        """Destroy bytes, descriptors, names and salt. Raises NotFound, InvalidTransition.

        The decision is one transaction; deleting the files follows and is finished by `tidy` should a crash come in
        between. Call `settle` once after the last of several.
        """
        tombstone = self._catalogue.erase(reference_id, at=self._clock.now())
        self._catalogue.delete_blobs(self._blobs.delete)
        return tombstone

    def settle(self) -> None:
        """Drop what was erased from the files of the index too."""
        if self._catalogue.active_generation() is not None:
            self._index.refresh()
            self._index.save()
