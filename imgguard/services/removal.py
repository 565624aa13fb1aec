"""End a registration: withdraw it (history stays) or erase it (a tombstone stays)."""

from collections.abc import Callable
from dataclasses import dataclass

from imgguard.errors import ImgguardError, IndexUnavailable, StoreUnavailable
from imgguard.ports import BlobStore, Catalogue, Clock, ReferenceIndex
from imgguard.registry.accounts import AuditEvent
from imgguard.registry.records import Reference

type Telling = Callable[[Reference], AuditEvent]
"""Makes the event that is written with the change; commands of the console write none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The reference as it is now. ``unfinished`` says what could not be done yet, though the removal stands."""

    reference: Reference
    unfinished: ImgguardError | None = None


class Removal:
    """Thread safe."""

    def __init__(self, *, catalogue: Catalogue, blobs: BlobStore, index: ReferenceIndex, clock: Clock) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._index = index
        self._clock = clock

    def withdraw(self, reference_id: str, *, event: Telling | None = None) -> Removed:
        """No longer matched from now on. Raises NotFound, InvalidTransition."""
        return Removed(reference=self._catalogue.withdraw(reference_id, at=self._clock.now(), event=event))

    def erase(self, reference_id: str, *, event: Telling | None = None) -> Removed:
        """Destroy bytes, descriptors, names and salt. Raises NotFound, InvalidTransition.

        The decision is one transaction; deleting the files follows and is finished by `tidy` should a crash come in
        between, or should they resist. Call `settle` once after the last of several.
        """
        sha256 = self._catalogue.reference(reference_id).sha256
        tombstone = self._catalogue.erase(reference_id, at=self._clock.now(), event=event)
        return Removed(reference=tombstone, unfinished=self._deleted(sha256))

    def _deleted(self, sha256: str | None) -> ImgguardError | None:
        """What keeps the bytes on the disk, if anything does."""
        try:
            reason = self._catalogue.delete_blobs(self._blobs.delete).failed.get(sha256 or "")
        except ImgguardError as error:
            reason = error.detail
        if reason is None:
            return None
        return StoreUnavailable(
            f"erased, but its bytes could not be deleted yet: {reason}",
            hint="Each `imgguard register` and `imgguard check` tries again; `imgguard doctor` shows what is due.",
        )

    def settle(self) -> None:
        """Drop what was erased from the files of the index too. Raises IndexUnavailable, StoreUnavailable."""
        if self._catalogue.active_generation() is None:
            return
        try:
            self._index.refresh()
            self._index.save()
        except IndexUnavailable as error:
            raise IndexUnavailable(
                f"the removal stands, but the index files still hold what was erased: {error.detail}",
                hint="Run `imgguard index rebuild` once the files can be written.",
            ) from error
