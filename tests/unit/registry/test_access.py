"""Who may do what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from imgguard.errors import NotFound, PermissionDenied
from imgguard.registry.access import SCOPES_OF_ROLE, actor_for, console, scopes_of
from imgguard.registry.accounts import ApiKey, Disclosure, Member, Organisation, Role, Scope

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ORGANISATION = Organisation(
    organisation_id="org_1",
    owner_id="own_1",
    name="Ann's",
    disclosure=Disclosure.OUTLINE,
    is_operator=False,
    created_at=NOW,
)
OPERATOR = replace(ORGANISATION, organisation_id="org_0", owner_id="own_0", is_operator=True)
MEMBER = Member(
    member_id="mem_1",
    organisation_id="org_1",
    email="ann@example.org",
    name="Ann",
    roles=frozenset({Role.ADMIN, Role.REVIEWER}),
    has_password=True,
    created_at=NOW,
    disabled_at=None,
    erased_at=None,
)
KEY = ApiKey(
    key_id="key_1",
    organisation_id="org_1",
    member_id="mem_1",
    name="feed",
    scopes=frozenset({Scope.CHECKS_READ, Scope.REFERENCES_WRITE}),
    created_at=NOW,
    expires_at=None,
    last_used_at=None,
    revoked_at=None,
)


def test_every_role_is_in_the_table_and_every_scope_in_some_role() -> None:
    assert set(SCOPES_OF_ROLE) == set(Role)
    assert scopes_of(Role) == frozenset(Scope)
    assert scopes_of([]) == frozenset()


def test_an_actor_is_its_member() -> None:
    actor = actor_for(MEMBER, ORGANISATION)
    assert (actor.organisation_id, actor.owner, actor.name, actor.key_id) == ("org_1", "Ann's", "mem_1", None)
    assert actor.scopes == SCOPES_OF_ROLE[Role.ADMIN] | SCOPES_OF_ROLE[Role.REVIEWER]
    assert actor.owns("own_1")
    assert not actor.owns("own_2")
    assert not actor.is_console
    actor.require(Scope.AUDIT_READ)
    actor.require_person()
    with pytest.raises(PermissionDenied, match="references:write"):
        actor.require(Scope.REFERENCES_WRITE)


def test_a_key_has_no_more_than_its_maker() -> None:
    actor = actor_for(MEMBER, ORGANISATION, KEY)
    assert actor.scopes == {Scope.CHECKS_READ}
    assert (actor.name, actor.key_id) == ("mem_1", "key_1")
    with pytest.raises(PermissionDenied):
        actor.require_person()
    demoted = replace(MEMBER, roles=frozenset())
    assert actor_for(demoted, ORGANISATION, KEY).scopes == frozenset()


def test_the_operator_looks_after_everything() -> None:
    for organisation in (ORGANISATION, OPERATOR):
        actor = actor_for(MEMBER, organisation)
        powers = (actor.administers_installation, actor.reads_every_finding, actor.reads_every_event)
        assert powers == (organisation.is_operator,) * 3
        by_key = actor_for(MEMBER, organisation, KEY)
        powers = (by_key.administers_installation, by_key.reads_every_finding, by_key.reads_every_event)
        assert powers == (False, organisation.is_operator, False)
    actor_for(MEMBER, OPERATOR).require_installation()
    with pytest.raises(PermissionDenied):
        actor_for(MEMBER, ORGANISATION).require_installation()


def test_another_organisation_is_not_there_for_strangers() -> None:
    actor = actor_for(MEMBER, ORGANISATION)
    assert actor.organisation_meant(None) == actor.organisation_meant("org_1") == "org_1"
    with pytest.raises(NotFound):
        actor.organisation_meant("org_0")
    assert actor_for(MEMBER, OPERATOR).organisation_meant("org_1") == "org_1"
    with pytest.raises(NotFound):
        actor_for(MEMBER, OPERATOR, KEY).organisation_meant("org_1")


def test_the_console() -> None:
    actor = console(OPERATOR)
    assert (actor.is_console, actor.name, actor.scopes) == (True, "console", frozenset(Scope))
    actor.require_person()
    actor.require_installation()


def test_states() -> None:
    assert MEMBER.state == "active"
    assert replace(MEMBER, has_password=False).state == "invited"
    linked = replace(MEMBER, has_password=False, is_linked=True)
    assert (linked.state, linked.can_sign_in, linked.can_administer) == ("active", True, True)
    assert not replace(linked, disabled_at=NOW).can_sign_in
    assert replace(linked, disabled_at=NOW).state == "disabled"
    assert replace(MEMBER, disabled_at=NOW).state == "disabled"
    assert replace(MEMBER, disabled_at=NOW, erased_at=NOW).state == "erased"
    assert MEMBER.can_administer
    for change in ({"has_password": False}, {"disabled_at": NOW}, {"erased_at": NOW}, {"roles": frozenset()}):
        assert not replace(MEMBER, **change).can_administer
    assert KEY.state(NOW) == "valid"
    assert replace(KEY, expires_at=NOW).state(NOW) == "expired"
    assert replace(KEY, expires_at=NOW).state(NOW - timedelta(seconds=1)) == "valid"
    assert replace(KEY, expires_at=NOW, revoked_at=NOW).state(NOW) == "revoked"
    assert KEY.prefix == "imgguard_1"
