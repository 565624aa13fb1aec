"""Signing in by an OpenID Connect provider: the provider itself, and what is stored of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from imgguard.registry.accounts import AuditEvent, LinkedIdentity, Member, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenIdentity:
    """Whom the provider says somebody to be. ``subject`` identifies a person within ``issuer``; ``email``, which the
    provider may have verified or not, can change."""

    issuer: str
    subject: str
    email: str | None


class IdentityProvider(Protocol):
    """One provider, of the operator's choice. Thread safe. All raise IdentityProviderUnavailable."""

    issuer: str

    def authorisation_url(self, *, state: str, nonce: str, code_challenge: str, redirect_uri: str) -> str:
        """Where a browser is sent to sign in; ``code_challenge`` is of the method S256 (RFC 7636)."""
        ...

    def identify(self, code: str, *, code_verifier: str, nonce: str, redirect_uri: str) -> ProvenIdentity:
        """Exchange the code that the browser came back with. Raises SignInRefused when the proof does not hold."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What showed which member somebody is, before the provider was asked: the token of an invitation or a session."""

    by: Literal["invitation", "session"]
    token_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSignIn:
    """Somebody who was sent to the provider. ``browser_sha256`` is of a token that only that browser has; ``proof`` is
    of the member to link, and None for somebody who is linked already."""

    browser_sha256: str
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    return_to: str
    expires_at: datetime
    proof: Proof | None = None


class SignIns(Protocol):
    """Who is on the way, and who is whom. Each method is one transaction, in which ``event`` is written too.

    Thread safe. Raises StoreUnavailable. Secrets come as their SHA-256.
    """

    def begin(self, state_sha256: str, pending: PendingSignIn) -> None: ...
    def take(self, state_sha256: str, *, at: datetime) -> PendingSignIn | None:
        """The one with this state, which is gone then; None when there is none, or its time is over."""
        ...

    def member_of(self, issuer: str, subject: str) -> Member | None: ...
    def proven(self, proof: Proof, *, at: datetime) -> Member | None:
        """Whom it shows; None when the invitation or the session is not there or is over, or the member or its
        organisation is disabled."""
        ...

    def link(self, identity: LinkedIdentity, *, proof: Proof, event: AuditEvent) -> bool:
        """Whether it is linked now, and the invitation, if that is the proof, used up. Not when ``proof`` does not show
        the member at that time, nor when the member has an identity of this issuer already, or the identity is a
        member's already."""
        ...

    def open_session(
        self,
        session: Session,
        token_sha256: str,
        *,
        issuer: str,
        subject: str,
        forgive: Mapping[str, bool],
        event: AuditEvent,
    ) -> bool:
        """Open it if the member is enabled and still is that identity; otherwise False. ``forgive`` is as in
        `Credentials.open_session`, and sessions that have expired are dropped as there."""
        ...

    def identities(self, member_id: str) -> Sequence[LinkedIdentity]:
        """In order of their issuers."""
        ...

    def unlink(self, member_id: str, *, event: AuditEvent) -> Member:
        """Lets go of all identities of the member and ends its sessions; with none, nothing happens.

        Raises NotFound, InvalidTransition when erased, or when no admin would remain who can sign in.
        """
        ...
