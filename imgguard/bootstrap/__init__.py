"""Settings -> adapters -> services: the only package that chooses back-ends.

Services are made when first asked for: a command that lists references should not wait for models to be imported.
"""

import logging
from datetime import timedelta
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

from imgguard.bootstrap.adapters import (
    DATABASE,
    INDEX,
    LOG,
    ORIGINALS,
    SEAL,
    SERVING,
    TIMESTAMP_AUTHORITY,
    SystemClock,
)
from imgguard.bootstrap.people import PeopleServices
from imgguard.errors import DependencyError, ImgguardError
from imgguard.ports import Room
from imgguard.storage.folders import folder_bytes

if TYPE_CHECKING:
    from imgguard.services.anchoring import Anchoring
    from imgguard.services.checks import Checks
    from imgguard.services.feeds import Feeds
    from imgguard.services.hash_search import HashSearch
    from imgguard.services.installation import Installation
    from imgguard.services.jobs import Jobs
    from imgguard.services.member_packets import MemberPackets, PacketMaker
    from imgguard.services.packet_verification import PacketVerification
    from imgguard.services.packets import Packets
    from imgguard.services.reference_claims import ReferenceClaims
    from imgguard.services.references import References
    from imgguard.services.stamping import Stamping
    from imgguard.services.transparency import Transparency
    from imgguard.services.webhook_sending import Sender
    from imgguard.services.webhooks import Webhooks
    from imgguard.services.witnessing import Witnessing
    from imgguard.services.works import Works

__all__ = [
    "DATABASE",
    "INDEX",
    "LOG",
    "ORIGINALS",
    "SEAL",
    "SERVING",
    "TIMESTAMP_AUTHORITY",
    "Services",
    "SystemClock",
    "folder_bytes",
]

_LEASE_SECONDS = 60
"""What storing a token may take beyond waiting for it, before it is asked for again."""

_log = logging.getLogger(__name__)


class Services(PeopleServices):
    """All services on one home folder, with the adapters they stand on; close it, or use it as a context manager."""

    @cached_property
    def checks(self) -> "Checks":
        from imgguard.services.checks import Checks

        return Checks(
            store=self.check_store,
            checking=self.checking,
            comparer=self.comparer,
            drawings=self.drawings,
            standings=self.standings,
            clock=self.clock,
            candidates=self.settings.candidates,
        )

    @cached_property
    def hash_search(self) -> "HashSearch":
        from imgguard.services.hash_search import HashSearch

        return HashSearch(store=self.check_store, catalogue=self.catalogue, trail=self.audit_trail, clock=self.clock)

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
            transparency=self.transparency,
            clock=self.clock,
        )

    @cached_property
    def reference_claims(self) -> "ReferenceClaims":
        from imgguard.services.reference_claims import ReferenceClaims

        return ReferenceClaims(works=self.work_store, claiming=self.claiming, clock=self.clock)

    @cached_property
    def works(self) -> "Works":
        from imgguard.services.works import Works

        return Works(works=self.work_store, clock=self.clock)

    @cached_property
    def transparency(self) -> "Transparency":
        from imgguard.ports import StampedBy
        from imgguard.services.log_keys import LogKeys
        from imgguard.services.transparency import Transparency
        from imgguard.storage.log_files import read_key

        path = self.settings.log_key
        keys = LogKeys(
            store=self.log_store,
            read_key=lambda: None if path is None else read_key(path),
            origin=self.settings.log_origin,
            clock=self.clock,
        )
        return Transparency(
            store=self.log_store,
            files=self.log_files,
            keys=keys,
            tokens=self.token_store,
            anchors=self.anchor_store,
            clock=self.clock,
            authorities=[StampedBy(one.url, one.name) for one in self.timestamp_authorities],
        )

    @cached_property
    def stamping(self) -> "Stamping":
        from imgguard.services.stamping import Stamping
        from imgguard.storage.trust_file import read_trust_file

        settings = self.settings
        return Stamping(
            log=self.log_store,
            tokens=self.token_store,
            authorities=self.timestamp_authorities,
            trust=read_trust_file(settings.trust_file),
            clock=self.clock,
            renewal=timedelta(days=settings.timestamp_renewal_days),
            lease=timedelta(seconds=settings.timestamp_timeout_seconds + _LEASE_SECONDS),
        )

    @cached_property
    def anchoring(self) -> "Anchoring":
        from imgguard.services.anchoring import Anchoring

        settings = self.settings
        return Anchoring(
            log=self.log_store,
            anchors=self.anchor_store,
            calendars=self.calendars,
            clock=self.clock,
            every=timedelta(hours=settings.opentimestamps_hours),
            lease=timedelta(seconds=settings.timestamp_timeout_seconds + _LEASE_SECONDS),
        )

    @cached_property
    def witnessing(self) -> "Witnessing":
        from imgguard.services.witnessing import Witnessing

        return Witnessing(
            log=self.log_store,
            transparency=self.transparency,
            tokens=self.token_store,
            witnesses=self.log_witnesses,
            clock=self.clock,
            seconds=self.settings.log_witness_seconds,
        )

    @cached_property
    def installation(self) -> "Installation":
        from imgguard.bootstrap.witnesses import log_policy_text
        from imgguard.services.installation import Installation

        return Installation(
            transparency=self.transparency, seal_of=self.seal_key, witnesses=log_policy_text(self.settings)
        )

    @cached_property
    def packets(self) -> "Packets":
        from imgguard.bootstrap.packets import packets_of

        return packets_of(self)

    @cached_property
    def packet_maker(self) -> "PacketMaker":
        """Who builds for `member_packets`: this process, unless another one was put here before that is asked for."""
        from imgguard.services.packet_making import PacketMaking

        return PacketMaking(
            packets=self.packets,
            store=self.packet_store,
            catalogue=self.catalogue,
            blobs=self.blobs,
            clock=self.clock,
            kept=timedelta(days=self.settings.packet_retention_days),
        )

    @cached_property
    def member_packets(self) -> "MemberPackets":
        from imgguard.services.member_packets import MemberPackets

        return MemberPackets(
            store=self.packet_store,
            maker=self.packet_maker,
            catalogue=self.catalogue,
            checks=self.check_store,
            blobs=self.blobs,
            installation=self.installation,
            clock=self.clock,
        )

    @cached_property
    def packet_verification(self) -> "PacketVerification":
        from imgguard.evidence.packet.sandbox import SandboxedVerifier
        from imgguard.services.packet_verification import PacketVerification

        return PacketVerification(verifier=SandboxedVerifier())

    def publish_log(self) -> None:
        """Give out what a command has changed. What it did stands if that fails: the next one gives it out."""
        try:
            self.transparency.publish()
        except ImgguardError as error:
            _log.warning("the log was not published: %s", error)

    @cached_property
    def jobs(self) -> "Jobs":
        from imgguard.services.jobs import Jobs

        return Jobs(
            store=self.job_store,
            blobs=self.blobs,
            clock=self.clock,
            room=self._room(self.settings.queue_items),
            interactive_room=self._room(self.settings.queue_interactive),
        )

    def _room(self, capacity: int) -> Room:
        return Room(capacity, ceil(capacity * self.settings.queue_share))

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
            most_pictures=min(self.settings.feed_max_pictures, self._room(self.settings.queue_items).share),
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
            self.packet_store.expire(now=now)
            tidy(catalogue, blobs, self.clock)
        except DependencyError as error:
            _log.warning("what is due to be forgotten was not: %s", error)
