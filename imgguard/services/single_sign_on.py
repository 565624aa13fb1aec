"""Signing in by an identity provider: out to it, back from it, and which member that is.

1. `begin` remembers what it sent out, under a random state, for the browser that was given a token, for ten minutes.
2. `finish` takes that away, so that nothing comes back twice, and refuses another browser: else a stranger could have
   people sign in as the stranger.
3. The provider is asked who it is. A member who was that person before is that person, whatever the address is by now;
   else the member with the address that the provider has verified, who is linked then, once for each provider.

Whoever is refused is told the same words, whether there is such a member or not. Knows nothing of HTTP.
"""

import base64
import hashlib
import logging
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn

from imgguard.errors import IdentityUnknown, NotFound, RateLimited, SignInExpired, SignInRefused
from imgguard.ports import Accounts, Clock, Credentials, IdentityProvider, PendingSignIn, ProvenIdentity, SignIns
from imgguard.registry.access import actor_for
from imgguard.registry.accounts import Action, LinkedIdentity, Member
from imgguard.registry.names import is_email
from imgguard.services import attempts, tokens
from imgguard.services.audit import event_of
from imgguard.services.identity import SignedIn, new_session

LIFETIME = timedelta(minutes=10)
"""For whoever has to look for a password and a second factor at the provider."""

_LONGEST = 4096
"""Characters of a code; providers that put everything into it need some 2000."""
_log = logging.getLogger("imgguard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """``url`` is where the browser is sent, ``browser_token`` what it is to keep until it comes back."""

    url: str
    browser_token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """What a browser came back with. ``error`` is the provider's word for why there is no ``code``; ``issuer`` is who
    says so (RFC 9207), where providers tell."""

    state: str
    code: str | None = field(default=None, repr=False)
    error: str | None = None
    issuer: str | None = None


class SingleSignOn:
    """Thread safe. Without a ``provider`` there is nobody to send people to: all raise NotFound."""

    def __init__(
        self,
        *,
        provider: IdentityProvider | None,
        sign_ins: SignIns,
        accounts: Accounts,
        credentials: Credentials,
        clock: Clock,
        longest: timedelta,
    ) -> None:
        self._chosen = provider
        self._sign_ins = sign_ins
        self._accounts = accounts
        self._credentials = credentials
        self._clock = clock
        self._longest = longest

    @property
    def is_set_up(self) -> bool:
        """Whether there is a provider to sign in by."""
        return self._chosen is not None

    @property
    def _provider(self) -> IdentityProvider:
        if self._chosen is None:
            raise NotFound("no identity provider is set up here", hint="Sign in with a password.")
        return self._chosen

    def begin(self, *, return_to: str, redirect_uri: str, address: str) -> Begun:
        """``return_to``: where to go on in the end; ``redirect_uri``: where the provider sends the browser back to.

        Raises NotFound, RateLimited, IdentityProviderUnavailable.
        """
        provider, now = self._provider, self._clock.now()
        until = self._credentials.admit({attempts.begun(address): attempts.BEGUN}, at=now)
        if until is not None:
            raise RateLimited("too many have begun to sign in", retry_after=(until - now).total_seconds())
        state, nonce, browser_token, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        url = provider.authorisation_url(
            state=state, nonce=nonce, code_challenge=_challenge(verifier), redirect_uri=redirect_uri
        )
        pending = PendingSignIn(
            browser_sha256=tokens.digest(browser_token),
            nonce=nonce,
            code_verifier=verifier,
            return_to=return_to,
            expires_at=now + LIFETIME,
        )
        self._sign_ins.begin(tokens.digest(state), pending)
        return Begun(url=url, browser_token=browser_token)

    def finish(
        self, came_back: CameBack, *, browser_token: str, redirect_uri: str, address: str
    ) -> tuple[SignedIn, str]:
        """The session, and the ``return_to`` that it was begun with.

        Raises NotFound, SignInExpired (also for another browser), SignInRefused, IdentityUnknown,
        IdentityProviderUnavailable.
        """
        provider = self._provider
        pending = self._sign_ins.take(tokens.digest(came_back.state), at=self._clock.now())
        if pending is None or not tokens.same(pending.browser_sha256, tokens.digest(browser_token)):
            raise SignInExpired("this sign-in was not begun in this browser, or is over")
        try:
            identity = provider.identify(
                _code(came_back, issuer=provider.issuer),
                code_verifier=pending.code_verifier,
                nonce=pending.nonce,
                redirect_uri=redirect_uri,
            )
        except SignInRefused as error:
            _log.warning("a single sign-on was refused: %s", error.detail)
            raise
        member = self._member(identity)
        if not self._accounts.organisation(member.organisation_id).is_enabled:
            _refuse("the organisation is disabled")
        return self._open(identity, member, address), pending.return_to

    def _member(self, identity: ProvenIdentity) -> Member:
        """Raises IdentityUnknown."""
        known = self._sign_ins.member_of(identity.issuer, identity.subject)
        if known is not None:
            return known if known.is_enabled else _refuse("the member is disabled")
        email = (identity.email or "").strip()
        if not is_email(email):
            _refuse("the provider gave no address")
        if identity.is_email_verified is not True:
            _refuse("the provider has not verified the address")
        member = self._accounts.member_with_email(email)
        if member is None:
            _refuse("no member has the address")
        return self._linked(identity, member, email)

    def _linked(self, identity: ProvenIdentity, member: Member, email: str) -> Member:
        """``member``, who is that person from now on. Raises IdentityUnknown."""
        now = self._clock.now()
        actor = actor_for(member, self._accounts.organisation(member.organisation_id))
        link = LinkedIdentity(
            issuer=identity.issuer, subject=identity.subject, member_id=member.member_id, created_at=now
        )
        # The issuer is the operator's setting; the subject is personal, and events cannot be erased.
        event = event_of(actor, Action.IDENTITY_LINKED, member.member_id, at=now, detail={"issuer": identity.issuer})
        if self._sign_ins.link(link, email=email, event=event):
            return member
        # It may have been linked at this very moment, by a second window of the same person.
        again = self._sign_ins.member_of(identity.issuer, identity.subject)
        if again is None or again.member_id != member.member_id or not again.is_enabled:
            _refuse("the member is disabled, or is somebody else at the provider already")
        return again

    def _open(self, identity: ProvenIdentity, member: Member, address: str) -> SignedIn:
        now, token = self._clock.now(), tokens.new_token()
        session = new_session(member, at=now, longest=self._longest)
        actor = actor_for(member, self._accounts.organisation(member.organisation_id))
        is_open = self._sign_ins.open_session(
            session,
            tokens.digest(token),
            issuer=identity.issuer,
            subject=identity.subject,
            forgive={attempts.begun(address): False},
            event=event_of(actor, Action.SESSION_OPENED, session.session_id, at=now, detail={"by": "oidc"}),
        )
        if not is_open:
            _refuse("the member was disabled or unlinked meanwhile")
        return SignedIn(token=token, csrf_token=tokens.csrf_token(token), session=session, actor=actor)


def _challenge(verifier: str) -> str:
    """S256 of RFC 7636, section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _code(came_back: CameBack, *, issuer: str) -> str:
    """Raises SignInRefused."""
    if came_back.issuer not in (None, issuer):
        raise SignInRefused("another identity provider answered than the one that was asked")
    if came_back.error is not None:
        raise SignInRefused("the identity provider did not let the person in, or the person turned back")
    if not came_back.code or len(came_back.code) > _LONGEST:
        raise SignInRefused("the browser came back without a proper code")
    return came_back.code


def _refuse(reason: str) -> NoReturn:
    """The same words for everybody; the reason, which names nobody, goes to the log."""
    _log.warning("a single sign-on was refused: %s", reason)
    raise IdentityUnknown("no account here goes with this sign-in")
