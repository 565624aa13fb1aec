"""Adapters -> the services that know people and their rights."""

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from imgguard.bootstrap.pixels import PixelServices

if TYPE_CHECKING:
    from imgguard.services.audit import Audit
    from imgguard.services.decisions import Decisions
    from imgguard.services.identity import Identity
    from imgguard.services.keys import Keys
    from imgguard.services.licences import Licences
    from imgguard.services.members import Members
    from imgguard.services.organisation_erasure import OrganisationErasure
    from imgguard.services.organisations import Organisations
    from imgguard.services.passwords import Passwords
    from imgguard.services.personal_data import PersonalData
    from imgguard.services.single_sign_on import SingleSignOn
    from imgguard.services.standings import Standings


class PeopleServices(PixelServices):
    """Who asks, and what it may."""

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
