"""Who may do what. Pure: the same answer for the same roles and scopes, whoever asks."""

from collections.abc import Iterable
from dataclasses import dataclass

from imgguard.errors import NotFound, PermissionDenied
from imgguard.registry.accounts import ApiKey, Member, Organisation, Role, Scope

CONSOLE = "console"
"""The actor of commands on the machine that holds the store, where nobody's rights are narrower than the files'."""
SERVICE = "service"
"""The actor of what imgguard does by itself, when its time has come."""

SCOPES_OF_ROLE: dict[Role, frozenset[Scope]] = {
    Role.RIGHTS_HOLDER: frozenset(
        {
            Scope.REFERENCES_READ,
            Scope.REFERENCES_WRITE,
            Scope.CHECKS_READ,
            Scope.CHECKS_WRITE,
            Scope.PACKETS_READ,
            Scope.PACKETS_WRITE,
            Scope.LICENCES_READ,
            Scope.LICENCES_WRITE,
            Scope.ORGANISATION_READ,
        }
    ),
    Role.SELLER: frozenset(
        {
            Scope.CHECKS_READ,
            Scope.CHECKS_WRITE,
            Scope.PACKETS_READ,
            Scope.PACKETS_WRITE,
            Scope.LICENCES_READ,
            Scope.ORGANISATION_READ,
        }
    ),
    Role.REVIEWER: frozenset(
        {
            Scope.REFERENCES_READ,
            Scope.CHECKS_READ,
            Scope.CHECKS_WRITE,
            Scope.PACKETS_READ,
            Scope.PACKETS_WRITE,
            Scope.LICENCES_READ,
            Scope.ORGANISATION_READ,
        }
    ),
    # An admin looks after people and connections, and sees no picture by that.
    Role.ADMIN: frozenset(
        {
            Scope.ORGANISATION_READ,
            Scope.ORGANISATION_WRITE,
            Scope.AUDIT_READ,
            Scope.WEBHOOKS_WRITE,
        }
    ),
}


def scopes_of(roles: Iterable[Role]) -> frozenset[Scope]:
    """What ``roles`` allow together."""
    return frozenset[Scope]().union(*(SCOPES_OF_ROLE[role] for role in roles))


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """On whose behalf something is done. Only ``scopes`` decide what is allowed; ``roles`` are those of the member.

    A member by a session (``key_id`` is None), a member by a key, or the console (neither).
    """

    organisation_id: str
    owner_id: str
    owner: str
    member_id: str | None
    key_id: str | None
    roles: frozenset[Role]
    scopes: frozenset[Scope]
    is_operator: bool

    @property
    def is_console(self) -> bool:
        return self.member_id is None and self.key_id is None

    @property
    def name(self) -> str:
        """As the audit trail writes it."""
        return self.member_id or CONSOLE

    @property
    def administers_installation(self) -> bool:
        """Whether organisations other than the own one are in its charge."""
        return self.is_operator and Scope.ORGANISATION_WRITE in self.scopes

    @property
    def reads_every_finding(self) -> bool:
        """Whether findings of other organisations are shown to it: to reviewers of the operator."""
        return self.is_operator and Role.REVIEWER in self.roles and Scope.CHECKS_READ in self.scopes

    @property
    def reads_every_event(self) -> bool:
        """Whether the audit trail of all organisations is shown to it."""
        return self.is_operator and Scope.AUDIT_READ in self.scopes

    def require(self, scope: Scope) -> None:
        """Raises PermissionDenied unless ``scope`` is allowed."""
        if scope not in self.scopes:
            raise PermissionDenied(f"this needs the permission {scope}")

    def require_of_key(self, scope: Scope) -> None:
        """Raises PermissionDenied for a key that does not have ``scope``. Whoever is signed in needs none."""
        if self.key_id is not None:
            self.require(scope)

    def require_person(self) -> None:
        """Raises PermissionDenied for a key: what proves who asks is made by people, so that no key outlives itself."""
        if self.key_id is not None:
            raise PermissionDenied(
                "an API key cannot do this", hint="Sign in and do it yourself: keys neither make keys nor invite."
            )

    def require_installation(self) -> None:
        """Raises PermissionDenied unless it administers the installation."""
        if not self.administers_installation:
            raise PermissionDenied(
                "only an administrator of the installation may do this", hint="Ask whoever operates this imgguard."
            )

    def organisation_meant(self, organisation_id: str | None) -> str:
        """Its own, if none is named. Raises NotFound for another one unless it administers the installation: to
        strangers an organisation is not there."""
        if organisation_id in (None, self.organisation_id):
            return self.organisation_id
        if not self.administers_installation:
            raise NotFound(f"no organisation {organisation_id}", hint="Leave it out to mean your own.")
        return str(organisation_id)

    def owns(self, owner_id: str) -> bool:
        """Whether ``owner_id`` is the owner that its organisation is."""
        return owner_id == self.owner_id


def actor_for(member: Member, organisation: Organisation, key: ApiKey | None = None) -> Actor:
    """The member as it is now, by ``key`` if there is one. A key never has more than the member's roles allow."""
    allowed = scopes_of(member.roles)
    return Actor(
        organisation_id=organisation.organisation_id,
        owner_id=organisation.owner_id,
        owner=organisation.name,
        member_id=member.member_id,
        key_id=None if key is None else key.key_id,
        roles=member.roles,
        scopes=allowed if key is None else allowed & key.scopes,
        is_operator=organisation.is_operator,
    )


def console(organisation: Organisation) -> Actor:
    """Whoever runs commands on the machine itself, for ``organisation``, the operator."""
    return Actor(
        organisation_id=organisation.organisation_id,
        owner_id=organisation.owner_id,
        owner=organisation.name,
        member_id=None,
        key_id=None,
        roles=frozenset(Role),
        scopes=frozenset(Scope),
        is_operator=organisation.is_operator,
    )
