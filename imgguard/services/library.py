"""Stored descriptors of a content, as verification wants them."""

import logging
from collections.abc import Sequence

from imgguard.errors import DigestMismatch, NotFound
from imgguard.fingerprint.describe import STORED_FOR_VERIFICATION, reference_picture
from imgguard.fingerprint.fingerprint import ReferencePicture
from imgguard.ports import Catalogue
from imgguard.registry.records import Content

_log = logging.getLogger(__name__)


class CatalogueLibrary:
    """The pipeline's Library on the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def load(self, number: int) -> ReferencePicture | None:
        """None when the content was erased since the search. Raises DigestMismatch when a descriptor is damaged."""
        content = self._catalogue.content_numbered(number)
        return None if content is None else self.picture(content)

    def identical(self, sha256: str, pixel_digest: str) -> Sequence[int]:
        """Searchable contents with these bytes or these pixels, oldest first."""
        return self._catalogue.identical_contents(sha256, pixel_digest)

    def picture(self, content: Content) -> ReferencePicture | None:
        """The same for a content that is at hand."""
        descriptors = self._catalogue.descriptors(content.sha256, STORED_FOR_VERIFICATION)
        if not descriptors:
            try:
                self._catalogue.content(content.sha256)
            except NotFound:  # erased between the two statements
                return None
        return reference_picture(
            descriptors,
            sha256=content.sha256,
            pixel_digest=content.pixel_digest,
            width=content.width,
            height=content.height,
        )


class TolerantLibrary:
    """The library for one picture: damaged candidates are passed over, and ``damaged`` says which.

    One bad row must not keep every picture that resembles it from being checked; but a result that was found without
    it has to say so. Thread safe.
    """

    def __init__(self, library: CatalogueLibrary) -> None:
        self._library = library
        self.damaged: list[DigestMismatch] = []

    def load(self, number: int) -> ReferencePicture | None:
        """None when the content was erased since the search, or is damaged."""
        try:
            return self._library.load(number)
        except DigestMismatch as error:
            _log.warning("a candidate was passed over: %s; see `imgguard doctor --deep`", error.detail)
            self.damaged.append(error)
            return None

    def identical(self, sha256: str, pixel_digest: str) -> Sequence[int]:
        """Searchable contents with these bytes or these pixels, oldest first."""
        return self._library.identical(sha256, pixel_digest)
