"""What holds for all combinations of roles, scopes and changes of members."""

import tempfile
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from imgguard.errors import InvalidTransition, PermissionDenied
from imgguard.ports import NewCredential, Proof
from imgguard.registry.access import actor_for, scopes_of
from imgguard.registry.accounts import (
    ApiKey,
    AuditEvent,
    Disclosure,
    Invitation,
    LinkedIdentity,
    Member,
    Organisation,
    Role,
    Scope,
)
from imgguard.registry.ids import new_id
from imgguard.registry.names import email_key
from imgguard.services.tokens import has_form_of_key, new_secret
from imgguard.storage.sql.accounts import SqlAccounts, SqlAuditTrail
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.sign_ins import SqlSignIns

NOW = datetime(2026, 3, 1, tzinfo=UTC)
roles = st.frozensets(st.sampled_from(Role))
scopes = st.frozensets(st.sampled_from(Scope))
of_an_admin = frozenset({Scope.ORGANISATION_WRITE, Scope.AUDIT_READ})


def member(*, roles: frozenset[Role], organisation_id: str = "org_1") -> Member:
    return Member(
        member_id=new_id("mem"),
        organisation_id=organisation_id,
        email=f"{new_id('x')}@example.org",
        name="Ann",
        roles=roles,
        has_password=True,
        created_at=NOW,
        disabled_at=None,
        erased_at=None,
    )


def organisation(*, is_operator: bool) -> Organisation:
    return Organisation(
        organisation_id="org_1",
        owner_id="own_1",
        name="Ann's",
        disclosure=Disclosure.OUTLINE,
        is_operator=is_operator,
        created_at=NOW,
    )


def key(*, scopes: frozenset[Scope]) -> ApiKey:
    return ApiKey(
        key_id="key_1",
        organisation_id="org_1",
        member_id="mem_1",
        name="feed",
        scopes=scopes,
        created_at=NOW,
        expires_at=None,
        last_used_at=None,
        revoked_at=None,
    )


@given(roles)
def test_only_admins_look_after_people(given_roles: frozenset[Role]) -> None:
    assert bool(scopes_of(given_roles) & of_an_admin) == (Role.ADMIN in given_roles)


@given(roles)
def test_only_rights_holders_register_and_license(given_roles: frozenset[Role]) -> None:
    writing = scopes_of(given_roles) & {Scope.REFERENCES_WRITE, Scope.LICENCES_WRITE}
    assert bool(writing) == (Role.RIGHTS_HOLDER in given_roles)


@given(roles, roles)
def test_a_further_role_takes_nothing_away(some: frozenset[Role], more: frozenset[Role]) -> None:
    assert scopes_of(some | more) == scopes_of(some) | scopes_of(more)


@given(roles, scopes, st.booleans())
def test_a_key_is_worth_no_more_than_its_maker(
    given_roles: frozenset[Role], wanted: frozenset[Scope], is_operator: bool
) -> None:
    maker, house = member(roles=given_roles), organisation(is_operator=is_operator)
    person, program = actor_for(maker, house), actor_for(maker, house, key(scopes=wanted))
    assert program.scopes == person.scopes & wanted
    for power in ("administers_installation", "reads_every_finding", "reads_every_event"):
        assert getattr(program, power) <= getattr(person, power) <= is_operator


@given(roles, scopes, st.sampled_from(Scope))
def test_require_raises_for_what_is_not_allowed(
    given_roles: frozenset[Role], wanted: frozenset[Scope], scope: Scope
) -> None:
    actor = actor_for(member(roles=given_roles), organisation(is_operator=False), key(scopes=wanted))
    if scope in actor.scopes:
        actor.require(scope)
    else:
        with pytest.raises(PermissionDenied):
            actor.require(scope)


@given(st.text())
def test_an_address_is_the_same_however_it_is_written(text: str) -> None:
    key = email_key(text)
    assert email_key(key) == key
    for form in ("NFC", "NFD"):
        assert email_key(unicodedata.normalize(form, text)) == key  # type: ignore[arg-type]


@given(st.text())
def test_no_text_but_a_key_has_the_form_of_one(text: str) -> None:
    assert not has_form_of_key(text)


@given(st.integers(0, 95), st.sampled_from("0123456789abcdefghjkmnpqrstvwxyz_"))
def test_a_mistyped_key_is_noticed(place: int, character: str) -> None:
    secret = new_secret("key_" + "0" * 26)
    assert has_form_of_key(secret)
    mistyped = secret[:place] + character + secret[place + 1 :]
    assert has_form_of_key(mistyped) == (mistyped == secret)


class Organisations(RuleBasedStateMachine):
    """Whatever is done to the members of an organisation, somebody can look after it; and all of it is in the trail."""

    people = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._database = open_database(Path(self._folder.name) / "imgguard.db")
        self._accounts = SqlAccounts(self._database)
        self._sign_ins = SqlSignIns(self._database)
        self._organisation_id = new_id("org")
        self._changes = 0
        self._invited: dict[str, Proof] = {}

    def teardown(self) -> None:
        self._database.close()
        self._folder.cleanup()

    def _event(self) -> AuditEvent:
        return AuditEvent(
            event_id=new_id("evt"),
            at=NOW,
            actor="console",
            key_id=None,
            organisation_id=self._organisation_id,
            action="test",
            object_id="test",
            parties=frozenset(),
            detail={},
        )

    @initialize(target=people)
    def found(self) -> str:
        first = member(roles=frozenset({Role.ADMIN}), organisation_id=self._organisation_id)
        self._accounts.add_organisation(
            self._organisation_id,
            "Ann's",
            first,
            NewCredential(password_hash="x"),
            disclosure=Disclosure.OUTLINE,
            first=True,
            event=self._event(),
        )
        self._changes += 1
        return first.member_id

    @rule(target=people, given_roles=roles, has_password=st.booleans())
    def add(self, given_roles: frozenset[Role], has_password: bool) -> str:
        added = member(roles=given_roles, organisation_id=self._organisation_id)
        begin = NewCredential(password_hash="x") if has_password else self._invitation(added.member_id)
        self._accounts.add_member(added, begin, event=self._event())
        self._changes += 1
        return added.member_id

    def _invitation(self, member_id: str) -> NewCredential:
        invitation = Invitation(member_id=member_id, created_at=NOW, expires_at=NOW + timedelta(hours=1))
        proof = Proof(by="invitation", token_sha256=new_id("x"))
        self._invited[member_id] = proof
        return NewCredential(invitation=invitation, token_sha256=proof.token_sha256)

    @rule(person=people, given_roles=roles)
    def give(self, person: str, given_roles: frozenset[Role]) -> None:
        self._try(person, lambda: self._accounts.change_member(person, roles=given_roles, event=self._event()))

    @rule(person=people)
    def disable(self, person: str) -> None:
        self._try(person, lambda: self._accounts.disable_member(person, at=NOW, event=self._event()))

    @rule(person=people)
    def enable(self, person: str) -> None:
        self._try(person, lambda: self._accounts.enable_member(person, event=self._event()))

    @rule(person=people)
    def erase(self, person: str) -> None:
        self._try(person, lambda: self._accounts.erase_member(person, at=NOW, forget=[], event=self._event()))

    @rule(person=people)
    def link(self, person: str) -> None:
        before = self._accounts.member(person)
        identity = LinkedIdentity(issuer="https://a.example", subject=person, member_id=person, created_at=NOW)
        proof = self._invited.get(person, Proof(by="invitation", token_sha256="none"))
        linked = self._sign_ins.link(identity, proof=proof, event=self._event())
        assert linked == (before.is_enabled and not before.is_linked and person in self._invited)
        if linked:
            del self._invited[person]
        assert self._accounts.member(person).is_linked == (before.is_linked or linked)
        self._changes += linked

    @rule(person=people)
    def unlink(self, person: str) -> None:
        self._try(person, lambda: self._sign_ins.unlink(person, event=self._event()))

    def _try(self, person: str, change: object) -> None:
        before = self._accounts.member(person)
        try:
            after = change()  # type: ignore[operator]
        except InvalidTransition:
            after = before
        assert self._accounts.member(person) == after
        self._changes += after != before

    @invariant()
    def somebody_looks_after_it(self) -> None:
        if self._changes:
            assert any(person.can_administer for person in self._accounts.members(self._organisation_id))

    @invariant()
    def every_change_is_in_the_trail(self) -> None:
        assert len(SqlAuditTrail(self._database).events(limit=1000)) == self._changes


Organisations.TestCase.settings = settings(
    max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestOrganisations = Organisations.TestCase
