"""The JSON that comes in and goes out. Objects have the names that the command line's `--json` gives them, too."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from imgguard.api import examples
from imgguard.registry.accounts import Disclosure, Role, Scope

Text = Annotated[str, Field(max_length=1000)]
Password = Annotated[SecretStr, Field(max_length=4096)]
Token = Annotated[SecretStr, Field(max_length=200)]


def _is_number(given: object) -> object:
    if isinstance(given, bool | str):
        raise ValueError("a number is needed, not in words")
    return given


Number = Annotated[int, BeforeValidator(_is_number)]
"""In a body, where JSON has numbers: neither `true` nor `"3"`."""


def _with(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [example]})


class FieldProblem(BaseModel):
    """``pointer`` (RFC 6901) leads into the request: ``/body/email``, ``/query/limit``."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """Why there is no answer (RFC 9457). ``code`` is stable (docs/errors.md), ``detail`` is for people."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PROBLEM]})

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str
    request_id: str | None
    errors: list[FieldProblem] = Field(default=[], description="Only in `invalid_request`: the fields it is about.")
    missing: list[str] = Field(default=[], description="Only in `not_ready`: what is missing.")


class Organisation(BaseModel):
    model_config = _with(examples.ORGANISATION)

    organisation_id: str
    organisation: str = Field(description="Its name.")
    disclosure: Disclosure = Field(description="What a stranger's check reveals of its originals.")
    is_operator: bool
    created_at: datetime
    disabled_at: datetime | None = Field(description="Nobody can act for it since then.")
    erased_at: datetime | None


class Member(BaseModel):
    model_config = _with(examples.MEMBER)

    member_id: str
    organisation_id: str
    email: str | None = Field(description="Null once erased.")
    name: str | None = Field(description="Null once erased.")
    roles: list[Role]
    has_password: bool = Field(description="False until the invitation is accepted.")
    is_linked: bool = Field(description="Whether the member has signed in by the identity provider.")
    created_at: datetime
    disabled_at: datetime | None
    erased_at: datetime | None


class Key(BaseModel):
    model_config = _with(examples.KEY)

    key_id: str
    organisation_id: str
    member_id: str
    name: str
    prefix: str = Field(description="How it begins: enough to recognise it by.")
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="Exact to a minute.")
    revoked_at: datetime | None


class Event(BaseModel):
    model_config = _with(examples.EVENT)

    event_id: str
    at: datetime
    actor: str = Field(description="A member, `console`, or `service` for what imgguard does by itself.")
    key_id: str | None
    organisation_id: str
    action: str
    object_id: str
    parties: list[str]
    detail: dict[str, Any]


class SignIn(BaseModel):
    model_config = _with({"email": "ann@example.org", "password": "correct horse battery staple"})

    email: Text
    password: Password


class Provider(BaseModel):
    """An identity provider (OpenID Connect)."""

    model_config = _with({"name": "Example Login"})

    name: str = Field(description="As the sign-in page calls it.")


class SignInMethods(BaseModel):
    """By what people can sign in here."""

    model_config = _with({"password": True, "oidc": {"name": "Example Login"}})

    password: Literal[True] = True
    oidc: Provider | None = Field(description="Null where no identity provider is set up.")


class WayOut(BaseModel):
    """Where the identity provider is, for this sign-in."""

    model_config = _with({"url": examples.WAY_OUT})

    url: str


class Who(BaseModel):
    """On whose behalf requests are answered."""

    model_config = _with(examples.WHO)

    organisation_id: str
    organisation: str = Field(description="Its name.")
    is_operator: bool
    member_id: str
    name: str | None = Field(description="Of the member; null for a key that may not read it.")
    key_id: str | None = Field(description="Null for a session.")
    roles: list[Role] = Field(description="Of the member.")
    scopes: list[Scope] = Field(description="What is allowed: by the roles, and by the key if there is one.")
    is_linked: bool | None = Field(description="Whether an identity provider knows the member; null as `name` is.")
    csrf_token: str | None = Field(description="To send as X-CSRF-Token; null for a key, which needs none.")


class NewPassword(BaseModel):
    model_config = _with({"present": "correct horse battery staple", "new": "a sentence is easier to remember"})

    present: Password
    new: Password


class InvitationToken(BaseModel):
    model_config = _with({"token": examples.TOKEN})

    token: Token


class Acceptance(BaseModel):
    model_config = _with({"token": examples.TOKEN, "password": "correct horse battery staple"})

    token: Token
    password: Password


class Invitee(BaseModel):
    """Whom an invitation is for."""

    model_config = _with(examples.INVITEE)

    email: str
    name: str
    organisation: str = Field(description="Its name.")
    invited_by: str | None = Field(description="The name of who invited; null for the command line.")


class NewOrganisation(BaseModel):
    model_config = _with({"organisation": "Sample Studio", "email": "ann@example.org", "name": "Ann Example"})

    organisation: Text = Field(description="Its name; references of an owner of that name become its own.")
    email: Text = Field(description="Of its first admin.")
    name: Text | None = Field(default=None, description="Of its first admin; default: the address.")
    roles: list[Role] = Field(default=[Role.ADMIN], max_length=len(Role))
    disclosure: Disclosure = Disclosure.OUTLINE


class Invitation(BaseModel):
    """A member and what to hand over. ``secret`` sets the password, once; it is shown this once."""

    model_config = _with({"member": examples.MEMBER, "secret": examples.TOKEN, "expires_at": "2026-03-04T12:00:00Z"})

    member: Member
    secret: str | None
    expires_at: datetime | None


class Founding(BaseModel):
    """A new organisation and its first admin. ``secret`` sets the admin's password, once; it is shown this once."""

    model_config = _with(
        {
            "organisation": examples.ORGANISATION,
            "member": examples.MEMBER,
            "secret": examples.TOKEN,
            "expires_at": "2026-03-04T12:00:00Z",
        }
    )

    organisation: Organisation
    member: Member
    secret: str | None
    expires_at: datetime | None


class OrganisationChange(BaseModel):
    model_config = _with({"disclosure": "contact"})

    disclosure: Disclosure


class NewMember(BaseModel):
    model_config = _with({"email": "ben@example.org", "name": "Ben Example", "roles": ["seller"]})

    email: Text
    name: Text | None = Field(default=None, description="Default: the address.")
    roles: list[Role] = Field(min_length=1, max_length=len(Role))
    organisation_id: Text | None = Field(
        default=None, description="Of another organisation; for admins of the operator."
    )


def _one_is_there(schema: dict[str, Any]) -> None:
    schema["examples"] = [{"roles": ["seller", "reviewer"]}]
    schema["anyOf"] = [
        {"required": [name], "properties": {name: {"type": kind}}}
        for name, kind in (("name", "string"), ("roles", "array"))
    ]


class MemberChange(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_one_is_there)

    name: Text | None = None
    roles: list[Role] | None = Field(default=None, min_length=1, max_length=len(Role))

    @model_validator(mode="after")
    def _is_something(self) -> "MemberChange":
        if self.name is None and self.roles is None:
            raise ValueError("name or roles is needed")
        return self


class MemberExport(BaseModel):
    """All that is stored about a member."""

    model_config = _with(
        {
            "member": {**examples.MEMBER, "organisation": "Sample Studio"},
            "identities": [],
            "sessions": [],
            "keys": [examples.KEY],
            "events": [examples.EVENT],
            "checks": [],
            "jobs": [],
            "claims": [],
            "proofs": [],
            "packets": [],
            "decisions": [],
        }
    )

    member: dict[str, Any]
    identities: list[dict[str, Any]] = Field(description="Whom the identity provider says it to be.")
    sessions: list[dict[str, Any]]
    keys: list[Key]
    events: list[Event] | None = Field(description="Null without `audit:read`, unless one asks for oneself.")
    checks: list[dict[str, Any]] | None = Field(description="Null for admins who may not see checks.")
    jobs: list[dict[str, Any]] | None = Field(description="As `checks`.")
    claims: list[dict[str, Any]] | None = Field(description="As `checks`.")
    proofs: list[dict[str, Any]] | None = Field(description="As `checks`.")
    packets: list[dict[str, Any]] | None = Field(description="As `checks`.")
    decisions: list[dict[str, Any]] | None = Field(description="As `checks`.")


class NewKey(BaseModel):
    model_config = _with({"name": "feed", "scopes": ["checks:read", "checks:write"], "expires_in_days": 90})

    name: Text
    scopes: list[Scope] | None = Field(
        default=None, max_length=len(Scope), description="Default: all that the member's roles allow now."
    )
    expires_in_days: Number | None = Field(default=365, ge=1, le=3650, description="Null: valid until it is revoked.")


class IssuedKey(BaseModel):
    """``secret`` is the whole key. It is shown this once."""

    model_config = _with({"key": examples.KEY, "secret": "imgguard_01jnv7kea5c7e9g1j3m5p7r9tw_..."})

    key: Key
    secret: str | None


class Alive(BaseModel):
    model_config = _with({"status": "ok"})

    status: Literal["ok"] = "ok"
