"""Which member a proven identity is, with a provider that says what a test has it say."""

import base64
import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from imgguard.errors import (
    AuthenticationRequired,
    IdentityProviderUnavailable,
    IdentityUnknown,
    ImgguardError,
    NotFound,
    PermissionDenied,
    RateLimited,
    SignInExpired,
    SignInRefused,
)
from imgguard.ports import ProvenIdentity
from imgguard.registry.accounts import Member, Role, Session
from imgguard.services import attempts
from imgguard.services.single_sign_on import LIFETIME, CameBack, SingleSignOn

from .conftest import HOME, PASSWORD, House

ISSUER, HERE = "https://login.example.org", "https://imgguard.example.org/back"
BOB = ProvenIdentity(issuer=ISSUER, subject="bob", email="bob@example.org")


@dataclass
class FakeProvider:
    """``said`` is whom it says somebody to be, or an error."""

    said: ProvenIdentity | ImgguardError = BOB
    issuer: str = ISSUER
    sent: list[dict[str, str]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def authorisation_url(self, **sent: str) -> str:
        if isinstance(self.said, IdentityProviderUnavailable):
            raise self.said
        self.sent.append(sent)
        return f"{ISSUER}/authorize"

    def identify(self, code: str, **asked: str) -> ProvenIdentity:
        self.asked.append({"code": code, **asked})
        if isinstance(self.said, ImgguardError):
            raise self.said
        return self.said


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def sign_on(house: House, provider: FakeProvider) -> SingleSignOn:
    return made(house, provider)


def made(house: House, provider: FakeProvider | None) -> SingleSignOn:
    return SingleSignOn(
        provider=provider,
        sign_ins=house.sign_ins,
        accounts=house.accounts,
        credentials=house.credentials,
        clock=house.clock,
        longest=timedelta(hours=24),
    )


def out_and_back(
    sign_on: SingleSignOn,
    provider: FakeProvider,
    *,
    invitation: str | None = None,
    session: str | None = None,
    **changes: str,
) -> tuple[Session, str]:
    begun = sign_on.begin(return_to="/x", redirect_uri=HERE, address=HOME, invitation=invitation, session=session)
    values = {"state": provider.sent[-1]["state"], "code": "the code"} | changes
    browser_token = values.pop("browser_token", begun.browser_token)
    signed_in, return_to = sign_on.finish(
        CameBack(**values), browser_token=browser_token, redirect_uri=HERE, address=HOME
    )
    return signed_in.session, return_to


def invite(house: House, member: Member) -> str:
    """The token of a new invitation."""
    return house.members.reset(house.console, member.member_id).token or ""


def joined(house: House, sign_on: SingleSignOn, provider: FakeProvider, email: str = "bob@example.org") -> Member:
    """A member that is linked to whom ``provider`` tells of."""
    member = house.join(email, Role.SELLER)
    out_and_back(sign_on, provider, invitation=invite(house, member))
    provider.sent.clear()
    provider.asked.clear()
    return member


def test_what_is_sent_out_comes_back_to_the_provider(
    house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    joined(house, sign_on, provider)
    assert out_and_back(sign_on, provider)[1] == "/x"
    sent, asked = provider.sent[0], provider.asked[0]
    assert asked.keys() == {"code", "code_verifier", "nonce", "redirect_uri"}
    assert (asked["nonce"], asked["redirect_uri"]) == (sent["nonce"], sent["redirect_uri"])
    digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode() == sent["code_challenge"] + "="
    assert 43 <= len(asked["code_verifier"]) <= 128  # RFC 7636, section 4.1
    assert len({sent["state"], sent["nonce"], asked["code_verifier"]}) == 3


def test_nothing_secret_is_stored_or_shown(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    invitation = invite(house, house.ann)
    begun = sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME, invitation=invitation)
    state = provider.sent[0]["state"]
    assert invitation not in str(provider.sent) + repr(begun)
    with house.database.engine.connect() as connection:
        stored = str(connection.exec_driver_sql("SELECT * FROM sign_ins").all())
    assert state not in stored
    assert begun.browser_token not in stored + repr(begun)
    assert invitation not in stored


def test_the_session_is_like_any_other(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob = joined(house, sign_on, provider)
    begun = sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
    back = CameBack(state=provider.sent[0]["state"], code="c", issuer=ISSUER)
    signed_in, _ = sign_on.finish(back, browser_token=begun.browser_token, redirect_uri=HERE, address=HOME)
    assert signed_in.actor.member_id == bob.member_id
    assert house.identity.actor_of_session(signed_in.token) == signed_in.actor
    house.identity.require_csrf(signed_in.token, signed_in.csrf_token)
    assert signed_in.session.expires_at - signed_in.session.created_at == timedelta(hours=24)
    house.clock.move(hours=2)
    with pytest.raises(ImgguardError, match="has ended"):
        house.identity.actor_of_session(signed_in.token)


# the first time


@pytest.mark.parametrize(
    "email", ["bob@example.org", None, "", " ", "eve@example.org", "ann@example.org", "nobody@example.org"], ids=str
)
def test_no_address_links_anybody(
    email: str | None, house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    # One with a password and one with an open invitation, which whoever made it can have accepted.
    members = [house.join("bob@example.org", Role.SELLER), house.ann]
    members.append(house.members.invite(house.console, email="eve@example.org", roles=[Role.SELLER]).member)
    before = house.actions()
    provider.said = replace(BOB, email=email)
    with pytest.raises(IdentityUnknown) as caught:
        out_and_back(sign_on, provider)
    assert (caught.value.detail, caught.value.advice) == (
        "no account here goes with this sign-in",
        IdentityUnknown.hint,
    )
    assert [house.sign_ins.identities(member.member_id) for member in members] == [[], [], []]
    assert house.actions() == before


@pytest.mark.parametrize("email", ["Straße@example.org", " STRASSE@example.org ", None, "", "  "], ids=str)
def test_the_same_address_or_none(
    email: str | None, house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    member = house.join("Straße@example.org", Role.SELLER)
    provider.said = replace(BOB, email=email)
    assert out_and_back(sign_on, provider, invitation=invite(house, member))[0].member_id == member.member_id


@pytest.mark.parametrize(
    "email", ["eve@example.org", "bob", "bob@example.org.evil.example", "\ud800", "\u200b"], ids=ascii
)
def test_another_address_is_somebody_else(
    email: str, house: House, sign_on: SingleSignOn, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    bob = house.join("bob@example.org", Role.SELLER)
    token, session = invite(house, bob), house.sign_in("bob@example.org").token
    provider.said = replace(BOB, email=email)
    before = house.actions()
    for proof in ({"invitation": token}, {"session": session}):
        with pytest.raises(IdentityUnknown, match="no account here goes"):
            out_and_back(sign_on, provider, **proof)
    assert "another address" in caplog.text
    assert "example.org" not in caplog.text
    assert house.actions() == before
    assert house.identity.invited(token).member.member_id == bob.member_id


def test_an_identity_of_another_member_is_refused(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    joined(house, sign_on, provider)
    eve = house.join("eve@example.org", Role.SELLER)
    token = invite(house, eve)
    provider.said = replace(BOB, email=None)
    with pytest.raises(IdentityUnknown, match="no account here goes"):
        out_and_back(sign_on, provider, invitation=token)
    assert house.identity.invited(token).member.member_id == eve.member_id
    assert house.sign_ins.identities(eve.member_id) == []


def test_who_is_linked_already_keeps_the_invitation(
    house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    bob = joined(house, sign_on, provider)
    token = invite(house, bob)
    assert out_and_back(sign_on, provider, invitation=token)[0].member_id == bob.member_id
    assert house.identity.accept(token, PASSWORD).member.member_id == bob.member_id
    assert house.actions().count("identity.linked") == 1


@pytest.mark.parametrize("token", ["", "x", "é", "\ud800", "0" * 52])
def test_a_token_of_nobody(token: str, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    for proof in ({"invitation": token}, {"session": token}):
        with pytest.raises(AuthenticationRequired):
            sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME, **proof)
    assert provider.sent == []


def test_what_shows_one_thing_does_not_show_the_other(
    house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    invitation, session = invite(house, house.ann), house.sign_in("ann@example.org").token
    for proof in ({"invitation": session}, {"session": invitation}):
        with pytest.raises(AuthenticationRequired):
            sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME, **proof)


def _expire(house: House, member: Member) -> None:
    # Ten minutes are left for signing in, and one for the invitation.
    with house.database.write() as connection:
        connection.exec_driver_sql("UPDATE invitations SET expires_at = '2026-05-01 12:01:00.000000'")
    house.clock.move(minutes=1)


MEANWHILE: dict[str, Callable[[House, Member, str], object]] = {
    "expired": lambda house, member, token: _expire(house, member),
    "used": lambda house, member, token: house.identity.accept(token, PASSWORD),
    "replaced": lambda house, member, token: house.members.reset(house.console, member.member_id),
    "password set": lambda house, member, token: house.members.set_password(house.console, member.member_id, PASSWORD),
    "member disabled": lambda house, member, token: house.members.disable(house.console, member.member_id),
    "member erased": lambda house, member, token: house.members.erase(house.console, member.member_id),
    "organisation disabled": lambda house, member, token: house.organisations.disable(
        house.console, member.organisation_id
    ),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_what_ends_an_invitation_while_the_person_is_at_the_provider(
    meanwhile: str, house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    shop, _ = house.organisation("Shop", "shop@example.org")
    invited = house.members.invite(
        house.console, email="bob@example.org", roles=[Role.SELLER], organisation_id=shop.organisation_id
    )
    token = invited.token or ""
    begun = sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME, invitation=token)
    MEANWHILE[meanwhile](house, invited.member, token)
    before = house.actions()
    back = CameBack(state=provider.sent[-1]["state"], code="c")
    with pytest.raises(IdentityUnknown, match="no account here goes"):
        sign_on.finish(back, browser_token=begun.browser_token, redirect_uri=HERE, address=HOME)
    assert house.sign_ins.identities(invited.member.member_id) == []
    assert house.actions() == before
    # And none of them can be begun with.
    with pytest.raises(AuthenticationRequired):
        sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME, invitation=token)


def test_the_own_account_is_linked_while_its_session_lasts(
    house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    bob = house.join("bob@example.org", Role.SELLER)
    session = house.sign_in("bob@example.org").token
    begun = sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME, session=session)
    house.identity.sign_out(session)
    back = CameBack(state=provider.sent[-1]["state"], code="c")
    with pytest.raises(IdentityUnknown):
        sign_on.finish(back, browser_token=begun.browser_token, redirect_uri=HERE, address=HOME)
    session = house.sign_in("bob@example.org").token
    assert out_and_back(sign_on, provider, session=session)[0].member_id == bob.member_id
    assert house.trail.events(limit=1000)[-2].detail == {"issuer": ISSUER, "by": "session"}
    assert out_and_back(sign_on, provider)[0].member_id == bob.member_id


# who is known


def test_who_is_known_needs_no_address_any_more(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob = joined(house, sign_on, provider)
    house.join("eve@example.org", Role.SELLER)
    for changes in ({"email": None}, {"email": "eve@example.org"}):
        provider.said = replace(BOB, **changes)
        assert out_and_back(sign_on, provider)[0].member_id == bob.member_id
    assert house.actions().count("identity.linked") == 1


def test_an_address_that_passed_to_another_person_there(
    house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    bob = joined(house, sign_on, provider)
    provider.said = replace(BOB, subject="another bob")
    with pytest.raises(IdentityUnknown):
        out_and_back(sign_on, provider)
    token = invite(house, bob)
    with pytest.raises(IdentityUnknown):
        out_and_back(sign_on, provider, invitation=token)
    assert house.identity.invited(token).member.member_id == bob.member_id


def test_another_provider_is_linked_besides(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob = joined(house, sign_on, provider)
    other = FakeProvider(said=replace(BOB, issuer="https://new.example"), issuer="https://new.example")
    token = invite(house, bob)
    assert out_and_back(made(house, other), other, invitation=token)[0].member_id == bob.member_id
    assert len(house.sign_ins.identities(bob.member_id)) == 2


def test_disabled_and_erased_members(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob = joined(house, sign_on, provider)
    house.members.disable(house.console, bob.member_id)
    with pytest.raises(IdentityUnknown):
        out_and_back(sign_on, provider)
    house.members.enable(house.console, bob.member_id)
    out_and_back(sign_on, provider)
    house.members.disable(house.console, bob.member_id)
    with pytest.raises(IdentityUnknown):
        out_and_back(sign_on, provider)
    house.members.erase(house.console, bob.member_id)
    with pytest.raises(IdentityUnknown):
        out_and_back(sign_on, provider)


def test_the_first_time_in_many_windows_at_once(house: House, provider: FakeProvider) -> None:
    bob, sign_on = house.join("bob@example.org", Role.SELLER), made(house, provider)
    session = house.sign_in("bob@example.org").token
    begun = [sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME, session=session) for _ in range(6)]

    def finish(number: int) -> str:
        back = CameBack(state=provider.sent[number]["state"], code="c")
        token = begun[number].browser_token
        return sign_on.finish(back, browser_token=token, redirect_uri=HERE, address=HOME)[0].session.member_id

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(finish, range(6))) == {bob.member_id}
    assert house.actions().count("identity.linked") == 1
    assert house.actions().count("session.opened") == 7


def test_events_hold_no_personal_data(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob = house.join("bob@example.org", Role.SELLER)
    session, _ = out_and_back(sign_on, provider, invitation=invite(house, bob))
    linked, opened = house.trail.events(limit=1000)[-2:]
    assert (linked.action, linked.object_id, linked.actor) == ("identity.linked", bob.member_id, bob.member_id)
    assert linked.detail == {"issuer": ISSUER, "by": "invitation"}
    assert (opened.action, opened.object_id, opened.detail) == ("session.opened", session.session_id, {"by": "oidc"})


# ways back that are not taken


def test_another_browser(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    joined(house, sign_on, provider)
    for token in ("", "x", "é", "\ud800"):
        with pytest.raises(SignInExpired):
            out_and_back(sign_on, provider, browser_token=token)
    assert provider.asked == []


def test_a_state_of_nobody(sign_on: SingleSignOn, provider: FakeProvider) -> None:
    for state in ("", "x", "\ud800"):
        with pytest.raises(SignInExpired):
            out_and_back(sign_on, provider, state=state)
    assert provider.asked == []


def test_too_late(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    joined(house, sign_on, provider)
    for late in (True, False):
        begun = sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
        back = CameBack(state=provider.sent[-1]["state"], code="c")
        house.clock.time += LIFETIME - timedelta(seconds=0 if late else 1)
        if late:
            with pytest.raises(SignInExpired):
                sign_on.finish(back, browser_token=begun.browser_token, redirect_uri=HERE, address=HOME)
        else:
            sign_on.finish(back, browser_token=begun.browser_token, redirect_uri=HERE, address=HOME)


@pytest.mark.parametrize(
    "changes",
    [{"error": "access_denied"}, {"error": ""}, {"code": ""}, {"code": "x" * 4097}, {"issuer": "https://evil.example"}],
    ids=lambda value: str(value)[:40],
)
def test_no_proper_answer(changes: dict[str, str], sign_on: SingleSignOn, provider: FakeProvider) -> None:
    with pytest.raises(SignInRefused):
        out_and_back(sign_on, provider, **changes)
    assert provider.asked == []
    with pytest.raises(SignInExpired):  # and the state is used up
        out_and_back(sign_on, provider, state=provider.sent[0]["state"])


def test_the_reason_is_in_the_log_and_names_nobody(
    house: House, sign_on: SingleSignOn, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.said = SignInRefused("the token does not hold: aud")
    with pytest.raises(SignInRefused), caplog.at_level(logging.WARNING):
        out_and_back(sign_on, provider)
    provider.said = BOB
    with pytest.raises(IdentityUnknown), caplog.at_level(logging.WARNING):
        out_and_back(sign_on, provider)
    assert "does not hold: aud" in caplog.text
    assert "nobody is linked" in caplog.text
    assert "bob" not in caplog.text


def test_a_provider_that_is_down_leaves_nothing_behind(
    house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    provider.said = IdentityProviderUnavailable("down")
    with pytest.raises(IdentityProviderUnavailable):
        sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
    with house.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sign_ins").scalar_one() == 0
    assert house.sign_in("ann@example.org").actor.member_id == house.ann.member_id


def test_without_a_provider(house: House) -> None:
    sign_on = made(house, None)
    assert not sign_on.is_set_up
    with pytest.raises(NotFound):
        sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
    with pytest.raises(NotFound):
        sign_on.finish(CameBack(state="x"), browser_token="", redirect_uri=HERE, address=HOME)


def test_beginning_is_limited_for_each_network(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    joined(house, sign_on, provider)
    for _ in range(3):  # who comes back does not count
        out_and_back(sign_on, provider)
    for _ in range(attempts.BEGUN.free + 1):
        sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
    with pytest.raises(RateLimited) as caught:
        sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
    assert caught.value.retry_after == 1
    sign_on.begin(return_to="/", redirect_uri=HERE, address="198.51.100.1")
    house.sign_in("ann@example.org")


# letting go


def test_who_may_unlink(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob, eve = joined(house, sign_on, provider), house.join("eve@example.org", Role.SELLER)
    _, stranger = house.organisation("Shop", "shop@example.org")
    with pytest.raises(PermissionDenied):
        house.members.unlink(house.sign_in("eve@example.org").actor, bob.member_id)
    with pytest.raises(NotFound):
        house.members.unlink(house.sign_in("shop@example.org").actor, bob.member_id)
    admin = house.sign_in("ann@example.org").actor
    with pytest.raises(PermissionDenied, match="API key"):
        house.members.unlink(replace(admin, key_id="key_1"), bob.member_id)
    assert house.accounts.member(bob.member_id).is_linked
    assert not house.members.unlink(house.sign_in("bob@example.org").actor, bob.member_id).is_linked
    with pytest.raises(IdentityUnknown):
        out_and_back(sign_on, provider)
    out_and_back(sign_on, provider, session=house.sign_in("bob@example.org").token)
    assert not house.members.unlink(admin, bob.member_id).is_linked
    assert house.actions().count("identity.unlinked") == 2
    assert eve.member_id != stranger.member_id


def test_a_member_without_a_password(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    invited = house.members.invite(house.console, email="bob@example.org", roles=[Role.ADMIN])
    assert (invited.member.state, invited.member.can_administer) == ("invited", False)
    out_and_back(sign_on, provider, invitation=invited.token)
    member = house.accounts.member(invited.member.member_id)
    assert (member.state, member.has_password, member.can_administer) == ("active", False, True)
    with pytest.raises(ImgguardError, match="unknown, used up"):
        house.identity.accept(invited.token or "", PASSWORD)
    # With a password no other way in opens: there is none to be guessed.
    with pytest.raises(ImgguardError, match="wrong"):
        house.sign_in("bob@example.org", "")


def test_what_is_exported(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob = joined(house, sign_on, provider)
    exported = house.members.export(house.console, bob.member_id)
    (identity,) = exported["identities"]  # type: ignore[misc]
    assert (identity["issuer"], identity["subject"]) == (ISSUER, "bob")
    assert exported["member"]["is_linked"] is True  # type: ignore[index]
