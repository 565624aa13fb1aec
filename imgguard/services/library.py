"""Stored descriptors of a content, as verification wants them."""

from imgguard.errors import NotFound
from imgguard.fingerprint.describe import STORED_FOR_VERIFICATION, reference_picture
from imgguard.fingerprint.fingerprint import ReferencePicture
from imgguard.ports import Catalogue
from imgguard.registry.records import Content


class CatalogueLibrary:
    """The pipeline's Library on the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def load(self, number: int) -> ReferencePicture | None:
        """None when the content was erased since the search. Raises DigestMismatch when a descriptor is damaged."""
        content = self._catalogue.content_numbered(number)
        return None if content is None else self.picture(content)

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
