"""Settings -> adapters -> services: the only package that chooses back-ends.

Services are made when first asked for: a command that lists references should not wait for models to be imported.
"""

import logging
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from imgguard.bootstrap.adapters import DATABASE, INDEX, ORIGINALS, Adapters, SystemClock
from imgguard.errors import DependencyError
from imgguard.storage.folders import folder_bytes
from imgguard.storage.sql.schema import HEAD

if TYPE_CHECKING:
    from imgguard.services.audit import Audit
    from imgguard.services.checking import Checking
    from imgguard.services.checks import Checks
    from imgguard.services.comparison import Comparison
    from imgguard.services.decisions import Decisions
    from imgguard.services.diagnosis import Doctor
    from imgguard.services.drawings import Drawings
    from imgguard.services.feeds import Feeds
    from imgguard.services.identity import Identity
    from imgguard.services.illustration import Illustrator
    from imgguard.services.inspection import Inspection
    from imgguard.services.jobs import Jobs
    from imgguard.services.keys import Keys
    from imgguard.services.library import CatalogueLibrary
    from imgguard.services.licences import Licences
    from imgguard.services.members import Members
    from imgguard.services.organisation_erasure import OrganisationErasure
    from imgguard.services.organisations import Organisations
    from imgguard.services.passwords import Passwords
    from imgguard.services.personal_data import PersonalData
    from imgguard.services.rebuilding import Rebuilding
    from imgguard.services.references import References
    from imgguard.services.registration import Registration
    from imgguard.services.removal import Removal
    from imgguard.services.single_sign_on import SingleSignOn
    from imgguard.services.standings import Standings
    from imgguard.services.webhook_sending import Sender
    from imgguard.services.webhooks import Webhooks
    from imgguard.services.works import Works

__all__ = ["DATABASE", "INDEX", "ORIGINALS", "Services", "SystemClock", "folder_bytes"]

_log = logging.getLogger(__name__)


class Services(Adapters):
    """All services on one home folder, with the adapters they stand on; close it, or use it as a context manager."""

    @cached_property
    def registration(self) -> "Registration":
        from imgguard.services.registration import Registration

        return Registration(
            catalogue=self.catalogue,
            blobs=self.blobs,
            index=self.index,
            decoder=self.decoder,
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
    def removal(self) -> "Removal":
        from imgguard.services.removal import Removal

        return Removal(catalogue=self.catalogue, blobs=self.blobs, index=self.index, clock=self.clock)

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
        )

    @cached_property
    def library(self) -> "CatalogueLibrary":
        from imgguard.services.library import CatalogueLibrary

        return CatalogueLibrary(self.catalogue)

    @cached_property
    def doctor(self) -> "Doctor":
        from imgguard.services.diagnosis import Doctor

        return Doctor(
            home=self.settings.home,
            schema=HEAD,
            catalogue=lambda: self.catalogue,
            blobs=lambda: self.blobs,
            index=lambda: self.index,
            decoder=lambda: self.decoder,
            models=self.models,
            calibration=lambda: self.calibration,
            clock=self.clock,
        )

    # people and rights

    @cached_property
    def passwords(self) -> "Passwords":
        from imgguard.services.passwords import Passwords

        return Passwords()

    @cached_property
    def identity(self) -> "Identity":
        from imgguard.services.identity import Identity

        return Identity(
            accounts=self.accounts,
            credentials=self.credentials,
            passwords=self.passwords,
            clock=self.clock,
            idle=timedelta(minutes=self.settings.session_idle_minutes),
            longest=timedelta(hours=self.settings.session_hours),
        )

    @cached_property
    def single_sign_on(self) -> "SingleSignOn":
        from imgguard.services.single_sign_on import SingleSignOn

        return SingleSignOn(
            provider=self.identity_provider,
            sign_ins=self.sign_ins,
            accounts=self.accounts,
            credentials=self.credentials,
            clock=self.clock,
            longest=timedelta(hours=self.settings.session_hours),
        )

    @cached_property
    def organisations(self) -> "Organisations":
        from imgguard.services.organisations import Organisations

        return Organisations(
            accounts=self.accounts,
            passwords=self.passwords,
            clock=self.clock,
            invitation_time=timedelta(hours=self.settings.invitation_hours),
        )

    @cached_property
    def organisation_erasure(self) -> "OrganisationErasure":
        from imgguard.services.organisation_erasure import OrganisationErasure

        return OrganisationErasure(
            accounts=self.accounts,
            catalogue=self.catalogue,
            checks=self.check_store,
            jobs=self.job_store,
            traces=self.traces,
            removal=self.removal,
            clock=self.clock,
        )

    @cached_property
    def members(self) -> "Members":
        from imgguard.services.members import Members

        return Members(
            accounts=self.accounts,
            credentials=self.credentials,
            sign_ins=self.sign_ins,
            trail=self.audit_trail,
            passwords=self.passwords,
            clock=self.clock,
            invitation_time=timedelta(hours=self.settings.invitation_hours),
        )

    @cached_property
    def personal_data(self) -> "PersonalData":
        from imgguard.services.personal_data import PersonalData

        return PersonalData(members=self.members, traces=self.traces, checks=self.check_store, clock=self.clock)

    @cached_property
    def keys(self) -> "Keys":
        from imgguard.services.keys import Keys

        return Keys(accounts=self.accounts, credentials=self.credentials, clock=self.clock)

    @cached_property
    def audit(self) -> "Audit":
        from imgguard.services.audit import Audit

        return Audit(trail=self.audit_trail)

    @cached_property
    def licences(self) -> "Licences":
        from imgguard.services.licences import Licences

        return Licences(
            rights=self.rights,
            blobs=self.blobs,
            clock=self.clock,
            reminder=timedelta(days=self.settings.licence_reminder_days),
        )

    @cached_property
    def decisions(self) -> "Decisions":
        from imgguard.services.decisions import Decisions

        return Decisions(rights=self.rights, catalogue=self.catalogue, accounts=self.accounts, clock=self.clock)

    @cached_property
    def standings(self) -> "Standings":
        from imgguard.services.standings import Standings

        return Standings(rights=self.rights)

    @cached_property
    def checks(self) -> "Checks":
        from imgguard.services.checks import Checks

        return Checks(
            store=self.check_store,
            catalogue=self.catalogue,
            checking=self.checking,
            comparison=self.comparison,
            drawings=self.drawings,
            standings=self.standings,
            clock=self.clock,
            candidates=self.settings.candidates,
        )

    @cached_property
    def references(self) -> "References":
        from imgguard.services.references import References

        return References(
            works=self.work_store,
            store=self.check_store,
            blobs=self.blobs,
            registration=self.registration,
            removal=self.removal,
            library=self.library,
            standings=self.standings,
            clock=self.clock,
        )

    @cached_property
    def works(self) -> "Works":
        from imgguard.services.works import Works

        return Works(works=self.work_store, clock=self.clock)

    @cached_property
    def jobs(self) -> "Jobs":
        from imgguard.services.jobs import Jobs

        return Jobs(
            store=self.job_store,
            blobs=self.blobs,
            clock=self.clock,
            capacity=self.settings.queue_items,
            interactive_capacity=self.settings.queue_interactive,
        )

    @cached_property
    def feeds(self) -> "Feeds":
        from imgguard.services.feeds import Feeds

        return Feeds(
            store=self.feed_store,
            jobs=self.jobs,
            checks=self.checks,
            blobs=self.blobs,
            fetcher=self.fetcher,
            clock=self.clock,
            max_bytes=self.settings.feed_max_bytes,
            most_pictures=min(self.settings.feed_max_pictures, self.settings.queue_items),
        )

    @cached_property
    def webhooks(self) -> "Webhooks":
        from imgguard.services.webhooks import Webhooks

        return Webhooks(store=self.webhook_store, poster=self.fetcher, clock=self.clock)

    @cached_property
    def webhook_sender(self) -> "Sender":
        from imgguard.services.webhook_sending import Sender

        return Sender(
            store=self.webhook_store,
            poster=self.fetcher,
            clock=self.clock,
            kept=timedelta(days=self.settings.webhook_retention_days),
            longest=timedelta(seconds=self.settings.fetch_seconds),
        )

    def tidy(self) -> None:
        """Deletions that are due. Cheap when there are none. What cannot be done is logged, and tried the next time.

        Raises DependencyError when the store cannot be opened at all.
        """
        from imgguard.services.retention import tidy

        catalogue, blobs, credentials = self.catalogue, self.blobs, self.credentials
        now = self.clock.now()
        try:
            credentials.forget_expired(now=now)
            self.webhook_store.forget(now - timedelta(days=self.settings.webhook_retention_days))
            tidy(catalogue, blobs, self.clock)
        except DependencyError as error:
            _log.warning("what is due to be forgotten was not: %s", error)
