"""Signing in by an identity provider: out to it, back from it, and which member that is.

1. `begin` remembers what it sent out, under a random state, for the browser that was given a token, for ten minutes;
   and with it what shows which member somebody is who is to be linked: the digest of an invitation's token, or of a
   session's. The tokens themselves go no further than here.
2. `finish` takes that away, so that nothing comes back twice, and refuses another browser: else a stranger could have
   people sign in as the stranger.
3. The provider is asked who it is. Who was sent out without a proof is the member that is linked to that person, and
   else nobody. Who was sent out with one is linked, once for each provider, if the proof still holds.

An address never links: whoever invites an address has the token in hand, can set a password with it, and would wait for
the person whose address it is, who was never told of that organisation. So it need not be verified either. It can only
refuse: if the provider tells another one than the member's, somebody else is signed in there in this browser, or the
link of an invitation went astray.

Whoever is refused is told the same words, whether there is such a member or not. Knows nothing of HTTP.
"""

import base64
import hashlib
import logging
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn

from imgguard.errors import (
    AuthenticationRequired,
    IdentityUnknown,
    NotFound,
    RateLimited,
    SignInExpired,
    SignInRefused,
)
from imgguard.ports import (
    Accounts,
    Clock,
    Credentials,
    IdentityProvider,
    PendingSignIn,
    Proof,
    ProvenIdentity,
    SignIns,
)
from imgguard.registry.access import actor_for
from imgguard.registry.accounts import Action, LinkedIdentity, Member
from imgguard.registry.names import email_key
from imgguard.services import attempts, tokens
from imgguard.services.audit import event_of
from imgguard.services.identity import SignedIn, new_session
from imgguard.services.invitations import no_invitation

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

    def begin(
        self,
        *,
        return_to: str,
        redirect_uri: str,
        address: str,
        invitation: str | None = None,
        session: str | None = None,
    ) -> Begun:
        """``return_to``: where to go on in the end; ``redirect_uri``: where the provider sends the browser back to.
        ``invitation`` or ``session``: the token of the member to link, who else has to be linked already.

        Raises NotFound, RateLimited, AuthenticationRequired when that token does not count,
        IdentityProviderUnavailable.
        """
        provider, now = self._provider, self._clock.now()
        until = self._credentials.admit({attempts.begun(address): attempts.BEGUN}, at=now)
        if until is not None:
            raise RateLimited("too many have begun to sign in", retry_after=(until - now).total_seconds())
        proof = _proof(invitation, session)
        if proof is not None and self._sign_ins.proven(proof, at=now) is None:
            raise no_invitation() if proof.by == "invitation" else AuthenticationRequired("the session has ended")
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
            proof=proof,
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
        member = self._member(identity) if pending.proof is None else self._linked(identity, pending.proof)
        if not self._accounts.organisation(member.organisation_id).is_enabled:
            _refuse("the organisation is disabled")
        return self._open(identity, member, address), pending.return_to

    def _member(self, identity: ProvenIdentity) -> Member:
        """Raises IdentityUnknown."""
        known = self._sign_ins.member_of(identity.issuer, identity.subject)
        if known is None:
            _refuse("nobody is linked to the identity")
        return known if known.is_enabled else _refuse("the member is disabled")

    def _linked(self, identity: ProvenIdentity, proof: Proof) -> Member:
        """The member that ``proof`` shows, who is that person from now on. Raises IdentityUnknown."""
        now = self._clock.now()
        member = self._sign_ins.proven(proof, at=now)
        if member is None:
            _refuse(f"the {proof.by} does not count any more, or the member or its organisation is disabled")
        stated = (identity.email or "").strip()
        if stated and email_key(stated) != email_key(member.email or ""):
            _refuse("the provider tells another address than the member's")
        actor = actor_for(member, self._accounts.organisation(member.organisation_id))
        link = LinkedIdentity(
            issuer=identity.issuer, subject=identity.subject, member_id=member.member_id, created_at=now
        )
        # The issuer is the operator's setting; the subject is personal, and events cannot be erased.
        detail = {"issuer": identity.issuer, "by": proof.by}
        event = event_of(actor, Action.IDENTITY_LINKED, member.member_id, at=now, detail=detail)
        if self._sign_ins.link(link, proof=proof, event=event):
            return member
        # It may be so already: the invitation is to set a password then, and stays.
        known = self._sign_ins.member_of(identity.issuer, identity.subject)
        if known is None or known.member_id != member.member_id or not known.is_enabled:
            _refuse("the identity is another member's, or the member is somebody else at the provider already")
        return known

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


def _proof(invitation: str | None, session: str | None) -> Proof | None:
    if invitation is not None:
        return Proof(by="invitation", token_sha256=tokens.digest(invitation))
    return None if session is None else Proof(by="session", token_sha256=tokens.digest(session))


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
