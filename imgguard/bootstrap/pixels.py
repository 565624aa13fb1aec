"""Adapters -> the services that look at pictures."""

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from imgguard.bootstrap.adapters import Adapters
from imgguard.storage.sql.schema import HEAD

if TYPE_CHECKING:
    from imgguard.services.checking import Checking
    from imgguard.services.claiming import Claiming
    from imgguard.services.comparison import Comparer, Comparison
    from imgguard.services.diagnosis import Doctor
    from imgguard.services.drawings import Drawings, Sign
    from imgguard.services.illustration import Illustrator
    from imgguard.services.inspection import Inspection
    from imgguard.services.library import CatalogueLibrary
    from imgguard.services.rebuilding import Rebuilding
    from imgguard.services.registration import Registration
    from imgguard.services.removal import Removal


class PixelServices(Adapters):
    """What command line and workers need, whoever asks."""

    @cached_property
    def registration(self) -> "Registration":
        from imgguard.services.registration import Registration

        return Registration(
            catalogue=self.catalogue,
            blobs=self.blobs,
            index=self.index,
            decoder=self.decoder,
            credentials=self.decoder,
            models=self.models,
            calibration=self.calibration,
            clock=self.clock,
            max_bytes=self.settings.max_image_bytes,
        )

    @cached_property
    def checking(self) -> "Checking":
        from imgguard.services.checking import Checking

        return Checking(
            catalogue=self.catalogue,
            blobs=self.blobs,
            index=self.index,
            decoder=self.decoder,
            credentials=self.decoder,
            models=self.models,
            calibration=self.calibration,
            clock=self.clock,
            retention=timedelta(days=self.settings.query_retention_days),
            max_bytes=self.settings.max_image_bytes,
            spread=self.spread,
        )

    @cached_property
    def comparison(self) -> "Comparison":
        from imgguard.services.comparison import Comparison

        return Comparison(decoder=self.decoder, models=self.models, calibration=self.calibration, spread=self.spread)

    @cached_property
    def comparer(self) -> "Comparer":
        """Who compares for `checks`: this process, unless another one was put here before `checks` is asked for."""
        return self.comparison

    @cached_property
    def removal(self) -> "Removal":
        from imgguard.services.removal import Removal

        return Removal(catalogue=self.catalogue, blobs=self.blobs, index=self.index, clock=self.clock)

    @cached_property
    def claiming(self) -> "Claiming":
        from imgguard.services.claiming import Claiming

        return Claiming(
            store=self.claim_store,
            catalogue=self.catalogue,
            blobs=self.blobs,
            clock=self.clock,
            max_bytes=self.settings.max_proof_bytes,
        )

    @cached_property
    def rebuilding(self) -> "Rebuilding":
        from imgguard.services.rebuilding import Rebuilding

        return Rebuilding(
            catalogue=self.catalogue,
            blobs=self.blobs,
            index=self.index,
            decoder=self.decoder,
            models=self.models,
            clock=self.clock,
            workers=self.workers,
        )

    @cached_property
    def inspection(self) -> "Inspection":
        from imgguard.services.inspection import Inspection

        return Inspection(catalogue=self.catalogue)

    @cached_property
    def illustrator(self) -> "Illustrator":
        from imgguard.services.illustration import Illustrator

        return Illustrator(blobs=self.blobs, decoder=self.decoder)

    @cached_property
    def drawings(self) -> "Drawings":
        from imgguard.services.drawings import Drawings

        return Drawings(
            catalogue=self.catalogue,
            blobs=self.blobs,
            illustrator=self.illustrator,
            library=self.library,
            clock=self.clock,
            sign=self._sign(),
        )

    def _sign(self) -> "Sign | None":
        """Raises ConfigurationError when the chain or the key cannot be used."""
        if self.settings.c2pa_chain is None or self.settings.c2pa_key is None:
            return None
        from imgguard.bootstrap.certificates import evidence_signer

        return evidence_signer(self.settings.c2pa_chain, self.settings.c2pa_key)

    @cached_property
    def library(self) -> "CatalogueLibrary":
        from imgguard.services.library import CatalogueLibrary

        return CatalogueLibrary(self.catalogue)

    @cached_property
    def doctor(self) -> "Doctor":
        from imgguard.services.diagnosis import Doctor

        urls = self.settings.calendar_urls
        return Doctor(
            home=self.settings.home,
            schema=HEAD,
            catalogue=lambda: self.catalogue,
            blobs=lambda: self.blobs,
            index=lambda: self.index,
            decoder=lambda: self.decoder,
            models=self.models,
            calibration=lambda: self.calibration,
            tokens=lambda: self.token_store,
            anchors=lambda: self.anchor_store.waiting(urls) if urls else None,
            clock=self.clock,
        )
