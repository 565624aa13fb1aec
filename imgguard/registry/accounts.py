"""Organisations and their members, what proves who asks, and the trail of what they did.

An organisation is an owner of references that has accounts. The personal data of a member (address, name, password)
live in its own record only: everything else names members by id, so that erasing one leaves nothing behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Disclosure(StrEnum):
    """What a stranger's check reveals of an organisation's originals."""

    FULL = "full"  # the picture and its owner
    OUTLINE = "outline"  # the owner and where the pictures agree, beside a blurred thumbnail
    CONTACT = "contact"  # only that something matches


class Role(StrEnum):
    """What a member is there for; a member may have several. `imgguard.registry.access` says what each may do."""

    RIGHTS_HOLDER = "rights_holder"
    SELLER = "seller"
    REVIEWER = "reviewer"
    ADMIN = "admin"


class Scope(StrEnum):
    """A permission, as roles and API keys carry them."""

    REFERENCES_READ = "references:read"
    REFERENCES_WRITE = "references:write"
    CHECKS_READ = "checks:read"
    CHECKS_WRITE = "checks:write"
    PACKETS_READ = "packets:read"
    PACKETS_WRITE = "packets:write"
    LICENCES_READ = "licences:read"
    LICENCES_WRITE = "licences:write"
    ORGANISATION_READ = "organisation:read"
    ORGANISATION_WRITE = "organisation:write"
    AUDIT_READ = "audit:read"
    WEBHOOKS_WRITE = "webhooks:write"


class Action(StrEnum):
    """What the audit trail says was done. The name of an action never changes its meaning."""

    ORGANISATION_CREATED = "organisation.created"
    ORGANISATION_DISABLED = "organisation.disabled"
    ORGANISATION_ENABLED = "organisation.enabled"
    ORGANISATION_ERASED = "organisation.erased"
    DISCLOSURE_CHANGED = "organisation.disclosure_changed"
    MEMBER_ADDED = "member.added"
    MEMBER_CHANGED = "member.changed"
    MEMBER_DISABLED = "member.disabled"
    MEMBER_ENABLED = "member.enabled"
    MEMBER_ERASED = "member.erased"
    MEMBER_EXPORTED = "member.exported"
    INVITATION_ISSUED = "invitation.issued"
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_UNLINKED = "identity.unlinked"
    PASSWORD_SET = "password.set"  # noqa: S105 - the name of an action
    SESSION_OPENED = "session.opened"
    SESSION_ENDED = "session.ended"
    KEY_ISSUED = "key.issued"
    KEY_REVOKED = "key.revoked"
    JOB_SUBMITTED = "job.submitted"
    JOB_CANCELLED = "job.cancelled"
    JOB_FINISHED = "job.finished"
    FEED_DELETED = "feed.deleted"
    LICENCE_GRANTED = "licence.granted"
    LICENCE_REVOKED = "licence.revoked"
    LICENCE_EXTENDED = "licence.extended"
    LICENCE_ACCEPTED = "licence.accepted"
    LICENCE_SHOP_CONFIRMED = "licence.shop_confirmed"
    LICENCE_DOCUMENT_ADDED = "licence.document_added"
    LICENCE_ENDING = "licence.ending"
    DECISION_MADE = "decision.made"
    DECISION_RETRACTED = "decision.retracted"
    REFERENCE_REGISTERED = "reference.registered"
    REFERENCE_WITHDRAWN = "reference.withdrawn"
    REFERENCE_ERASED = "reference.erased"
    REFERENCE_CLAIMED = "reference.claimed"
    PROOF_ATTACHED = "reference.proof_attached"
    PROOF_REMOVED = "reference.proof_removed"
    REFERENCE_MOVED = "reference.moved"
    WORK_RENAMED = "work.renamed"
    COLLECTION_CREATED = "collection.created"
    COLLECTION_RENAMED = "collection.renamed"
    COLLECTION_CHANGED = "collection.changed"
    COLLECTION_DELETED = "collection.deleted"
    CHECK_MADE = "check.made"
    CHECK_ERASED = "check.erased"
    PACKET_BUILT = "packet.built"
    PACKET_DELETED = "packet.deleted"
    HASH_SEARCHED = "hash.searched"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105 - the name of an action
    WEBHOOK_DISABLED = "webhook.disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """``name`` is that of its owner. ``is_operator``: the installation's own, the first that was made.

    While it is disabled nobody can act for it. After erasing only ids and times remain (a tombstone).
    """

    organisation_id: str
    owner_id: str
    name: str
    disclosure: Disclosure
    is_operator: bool
    created_at: datetime
    disabled_at: datetime | None = None
    erased_at: datetime | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether sessions and keys of its members count."""
        return self.disabled_at is None and self.erased_at is None

    @property
    def state(self) -> str:
        """``active``, ``disabled`` or ``erased``."""
        return "erased" if self.erased_at is not None else "disabled" if self.disabled_at is not None else "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person. After erasure only ids and times remain (a tombstone).

    ``has_password`` is false until an invitation has been accepted. ``is_linked``: an identity provider can say that it
    is this member (see `LinkedIdentity`). Either is enough to sign in.
    """

    member_id: str
    organisation_id: str
    email: str | None
    name: str | None
    roles: frozenset[Role]
    has_password: bool
    created_at: datetime
    disabled_at: datetime | None
    erased_at: datetime | None
    is_linked: bool = False

    @property
    def can_sign_in(self) -> bool:
        """Whether there is anything by which this member can prove who it is, and it counts."""
        return self.is_enabled and (self.has_password or self.is_linked)

    @property
    def is_enabled(self) -> bool:
        """Whether sessions and keys of this member count."""
        return self.disabled_at is None and self.erased_at is None

    @property
    def state(self) -> str:
        """``active``, ``invited`` (nothing to sign in with yet), ``disabled`` or ``erased``."""
        if self.erased_at is not None:
            return "erased"
        if self.disabled_at is not None:
            return "disabled"
        return "active" if self.can_sign_in else "invited"

    @property
    def can_administer(self) -> bool:
        """Whether this member can sign in and look after the organisation: every organisation keeps one who can."""
        return self.can_sign_in and Role.ADMIN in self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedIdentity:
    """Who a member is for an OpenID Connect provider. ``subject`` never changes there, while addresses do."""

    issuer: str
    subject: str
    member_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A one-time token with which a member sets a password, the first one or a new one for a lost one, or is linked to
    an identity. ``invited_by`` is the member who issued it; None for the console."""

    member_id: str
    created_at: datetime
    expires_at: datetime
    invited_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A member who has signed in. ``seen_at`` is exact to a minute."""

    session_id: str
    member_id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What a program shows instead of a password. ``scopes`` is what its maker asked for: the roles that the maker
    has when it is used limit it further. ``last_used_at`` is exact to a minute."""

    key_id: str
    organisation_id: str
    member_id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def prefix(self) -> str:
        """How the key begins: enough to recognise it by, useless without the rest."""
        return f"imgguard_{self.key_id.removeprefix('key_')}"

    def state(self, at: datetime) -> str:
        """``valid``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= at else "valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """``actor`` (a member, ``console`` or ``service``), by ``key_id`` if by a key, did ``action`` to ``object_id``.

    ``organisation_id`` is whose object it is; ``parties`` are all organisations concerned, that one included.
    ``detail`` is plain JSON and never holds personal data: events cannot be erased.
    """

    event_id: str
    at: datetime
    actor: str
    key_id: str | None
    organisation_id: str
    action: str
    object_id: str
    parties: frozenset[str]
    detail: Mapping[str, object]
