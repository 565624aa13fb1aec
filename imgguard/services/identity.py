"""Who asks: signing in, sessions, API keys, and the passwords that people choose themselves.

Knows nothing of HTTP: it takes and gives tokens; in which header or cookie they travel is not its concern.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from imgguard.errors import AuthenticationRequired, NotFound, PermissionDenied, RateLimited, StoreUnavailable
from imgguard.ports import Accounts, Clock, Credentials, SessionGrant
from imgguard.registry.access import Actor, actor_for
from imgguard.registry.accounts import Action, AuditEvent, Member, Session
from imgguard.registry.ids import new_id
from imgguard.registry.names import is_email
from imgguard.services import attempts, tokens
from imgguard.services.audit import event_of
from imgguard.services.invitations import Invitee, no_invitation
from imgguard.services.passwords import Passwords, accepted

_SEEN = timedelta(minutes=1)
"""How exact the last use of sessions and keys is: each writing of it is a transaction."""

_WRONG = "the address or the password is wrong"
_log = logging.getLogger("imgguard")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session that was just opened. ``token`` is shown this once; ``csrf_token`` can be derived from it again."""

    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    session: Session
    actor: Actor


class Identity:
    """Thread safe. ``idle`` and ``longest`` end a session that is not used, or is old."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        credentials: Credentials,
        passwords: Passwords,
        clock: Clock,
        idle: timedelta,
        longest: timedelta,
    ) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._passwords = passwords
        self._clock = clock
        self._idle = idle
        self._longest = longest

    # people

    def sign_in(self, email: str, password: str, *, address: str) -> SignedIn:
        """Open a session for whoever knows the password; ``address`` is the IP address that asks.

        Raises AuthenticationRequired (the same for an unknown address, a wrong password and a disabled member, after
        the same work), RateLimited, Overloaded.
        """
        email = email.strip()
        self._admit(email, address)
        login = self._credentials.login(email) if is_email(email) else None
        known = login if login is not None and login.member.is_enabled else None
        stored = None if known is None else known.password_hash
        is_right = self._passwords.matches(password, stored)
        if known is None or stored is None or not is_right:
            raise AuthenticationRequired(_WRONG, hint="Try again, or ask an admin for a link to set a new password.")
        outdated = self._passwords.is_outdated(stored)
        new_hash = self._passwords.hash(password) if outdated else None
        return self._open(known.member, stored, new_hash, email=email, address=address)

    def actor_of_session(self, token: str) -> Actor:
        """Whom the session stands for, with the roles of now. Raises AuthenticationRequired."""
        grant, now = self._grant(token), self._clock.now()
        if now - grant.session.seen_at >= _SEEN:
            _noted(self._credentials.touch_session, grant.session.session_id, now)
        return actor_for(grant.member, grant.organisation)

    def sign_out(self, token: str) -> None:
        """End the session, if there is one."""
        grant = self._credentials.session(tokens.digest(token))
        if grant is not None:
            actor = actor_for(grant.member, grant.organisation)
            event = event_of(actor, Action.SESSION_ENDED, grant.session.session_id, at=self._clock.now())
            self._credentials.end_session(tokens.digest(token), event=event)

    def csrf_token(self, token: str) -> str:
        """For forms on pages that are shown to the session with this token."""
        return tokens.csrf_token(token)

    def require_csrf(self, token: str, given: str) -> None:
        """Raises PermissionDenied unless ``given`` is the session's."""
        if not tokens.same(tokens.csrf_token(token), given):
            raise PermissionDenied(
                "the form does not belong to this session", hint="Load the page again, then send the form again."
            )

    def change_password(self, token: str, present: str, new: str, *, address: str) -> SignedIn:
        """The member's own. Ends all of its sessions and opens a fresh one.

        Raises AuthenticationRequired when the session or the ``present`` password is wrong, InputError for a ``new``
        one that is not accepted, RateLimited, Overloaded.
        """
        member = self._grant(token).member
        email = member.email or ""
        accepted(new, email=email)
        self._admit(email, address)
        login = self._credentials.login(email)
        if not self._passwords.matches(present, None if login is None else login.password_hash):
            raise AuthenticationRequired("the present password is wrong", hint="Try again.")
        new_hash = self._passwords.hash(new)
        self._credentials.set_password(member.member_id, new_hash, event=self._password_event(member))
        return self._open(member, new_hash, None, email=email, address=address)

    # invitations

    def invited(self, token: str) -> Invitee:
        """Whom an invitation is for. Raises AuthenticationRequired when it is unknown, used, or has expired."""
        grant = self._credentials.invited(tokens.digest(token), at=self._clock.now())
        if grant is None:
            raise no_invitation()
        inviter = grant.invitation.invited_by
        return Invitee(
            member=grant.member,
            organisation=grant.organisation.name,
            invited_by=None if inviter is None else self._accounts.member(inviter).name,
        )

    def accept(self, token: str, password: str) -> Invitee:
        """Set the password of the member that was invited; the invitation is used up, and all sessions end.

        Raises AuthenticationRequired as `invited` does, InputError for a password that is not accepted, Overloaded.
        """
        invitee = self.invited(token)
        password_hash = self._passwords.hash(accepted(password, email=invitee.member.email))
        changed = self._credentials.accept_invitation(
            tokens.digest(token), password_hash, at=self._clock.now(), event=self._password_event(invitee.member)
        )
        if changed is None:
            raise no_invitation()
        return replace(invitee, member=changed)

    # programs

    def actor_of_key(self, secret: str) -> Actor:
        """Whom an API key stands for, within its scopes and the roles its maker has now.

        Raises AuthenticationRequired when it is unknown, expired or revoked, or its maker is disabled.
        """
        grant = self._credentials.key_with_secret(tokens.digest(secret)) if tokens.has_form_of_key(secret) else None
        if grant is None:
            raise AuthenticationRequired("this is not an API key of this imgguard", hint="Copy the whole key.")
        now = self._clock.now()
        if grant.key.state(now) != "valid":
            raise AuthenticationRequired(
                f"the key {grant.key.key_id} is {grant.key.state(now)}", hint="Make a new key, or use another one."
            )
        if not grant.member.is_enabled:
            raise AuthenticationRequired("whoever made this key is disabled", hint="Use a key of another member.")
        if not grant.organisation.is_enabled:
            raise AuthenticationRequired("the organisation of this key is disabled", hint="Ask whoever operates this.")
        if grant.key.last_used_at is None or now - grant.key.last_used_at >= _SEEN:
            _noted(self._credentials.touch_key, grant.key.key_id, now)
        return actor_for(grant.member, grant.organisation, grant.key)

    # work that is done later

    def acting(self, member_id: str, key_id: str | None) -> Actor:
        """On whose behalf work that was handed in earlier, by that key if by one, is done: with the rights of now.

        Raises AuthenticationRequired when the member is disabled or erased, or the key revoked or expired.
        """
        try:
            member = self._accounts.member(member_id)
            key = None if key_id is None else self._credentials.key(key_id)
        except NotFound as error:
            raise AuthenticationRequired("whoever handed this in is not there any more") from error
        if not member.is_enabled:
            raise AuthenticationRequired("whoever handed this in is disabled", hint="Let another member hand it in.")
        if key is not None and key.state(self._clock.now()) != "valid":
            state = key.state(self._clock.now())
            raise AuthenticationRequired(
                f"the key {key.key_id}, with which this was handed in, is {state}", hint="Hand it in with another key."
            )
        organisation = self._accounts.organisation(member.organisation_id)
        if not organisation.is_enabled:
            raise AuthenticationRequired("the organisation that handed this in is disabled")
        return actor_for(member, organisation, key)

    # inside

    def _admit(self, email: str, address: str) -> None:
        now = self._clock.now()
        until = self._credentials.admit(attempts.limits(email, address), at=now)
        if until is not None:
            raise RateLimited("too many attempts to sign in", retry_after=(until - now).total_seconds())

    def _grant(self, token: str) -> SessionGrant:
        """The session, if it still counts."""
        grant, now = self._credentials.session(tokens.digest(token)), self._clock.now()
        if (
            grant is None
            or now >= grant.session.expires_at
            or now - grant.session.seen_at >= self._idle
            or not grant.member.is_enabled
            or not grant.organisation.is_enabled
        ):
            raise AuthenticationRequired("the session has ended", hint="Sign in again.")
        return grant

    def _open(self, member: Member, verified_hash: str, new_hash: str | None, *, email: str, address: str) -> SignedIn:
        now = self._clock.now()
        token = tokens.new_token()
        session = new_session(member, at=now, longest=self._longest)
        organisation = self._accounts.organisation(member.organisation_id)
        if not organisation.is_enabled:
            raise AuthenticationRequired(_WRONG, hint="Try again, or ask whoever operates this imgguard.")
        actor = actor_for(member, organisation)
        is_open = self._credentials.open_session(
            session,
            tokens.digest(token),
            verified_hash=verified_hash,
            new_hash=new_hash,
            forgive=attempts.forgiven(email, address),
            event=event_of(actor, Action.SESSION_OPENED, session.session_id, at=now),
        )
        if not is_open:  # disabled, erased or given another password since it was looked at
            raise AuthenticationRequired(_WRONG, hint="Try again.")
        return SignedIn(token=token, csrf_token=tokens.csrf_token(token), session=session, actor=actor)

    def _password_event(self, member: Member) -> AuditEvent:
        actor = actor_for(member, self._accounts.organisation(member.organisation_id))
        return event_of(actor, Action.PASSWORD_SET, member.member_id, at=self._clock.now())


def new_session(member: Member, *, at: datetime, longest: timedelta) -> Session:
    """Not stored yet."""
    return Session(
        session_id=new_id("ses"), member_id=member.member_id, created_at=at, seen_at=at, expires_at=at + longest
    )


def _noted(touch: Callable[..., None], identifier: str, at: datetime) -> None:
    """Note a use. A store that can only be read at the moment is no reason to turn anybody away."""
    try:
        touch(identifier, at=at)
    except StoreUnavailable as error:
        _log.warning("the use of %s was not noted: %s", identifier, error)
