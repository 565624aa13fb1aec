"""What the server tells of licences, decisions and accounts, as frozen objects."""

from datetime import datetime
from typing import Any

from pydantic import Field

from imgguard.client.told import Told


class Party(Told):
    """An organisation, by id and name."""

    organisation_id: str
    organisation: str | None = None


class Holder(Party):
    """An organisation that took up a licence."""

    accepted_at: datetime | None = None


class LicenceDocument(Told):
    """One document of the chain of authorisation."""

    document_id: str
    licence_id: str
    position: int
    title: str
    media_type: str
    sha256: str
    byte_length: int
    added_at: datetime


class Licence(Told):
    """``work_ids`` None: all works. Limits that are empty are none. ``state`` as it was when the server answered;
    ``documents`` None in lists, and ``revision`` None for those who hold it."""

    licence_id: str
    licensor: Party
    licensee: Party | None = None
    shop: str | None = None
    by_link: bool = False
    holders: tuple[Holder, ...] = ()
    work_ids: tuple[str, ...] | None = None
    uses: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    starts_at: datetime
    ends_at: datetime | None = None
    state: str
    ends_soon: bool = False
    note: str = ""
    created_at: datetime
    revoked_at: datetime | None = None
    revision: int | None = None
    documents: tuple[LicenceDocument, ...] | None = None
    etag: str | None = None


class Granted(Told):
    """``secret`` takes the licence up, for everyone who is given it. It is shown this once, and None without a link;
    also when the first answer was lost on the way: then revoke the licence, and grant another."""

    licence: Licence
    secret: str | None = Field(default=None, repr=False)


class Decision(Told):
    """What somebody decided about a pair of pictures."""

    decision_id: str
    reference_id: str
    finding_id: str
    kind: str
    by: str
    organisation_id: str
    member_id: str
    note: str = ""
    decided_at: datetime
    retracted_at: datetime | None = None


class Account(Told):
    """On whose behalf requests are answered: of a key, its member and what it allows now."""

    organisation_id: str
    organisation: str
    is_linked: bool | None = None
    is_operator: bool
    member_id: str
    name: str | None = None
    key_id: str | None = None
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()


class Organisation(Told):
    """``disclosure`` is what strangers' checks reveal of its originals."""

    organisation_id: str
    organisation: str
    disclosure: str
    is_operator: bool
    created_at: datetime
    disabled_at: datetime | None
    erased_at: datetime | None
    etag: str | None = None


class Member(Told):
    """A person. Address and name are None once erased."""

    member_id: str
    organisation_id: str
    email: str | None
    name: str | None
    roles: tuple[str, ...]
    has_password: bool
    is_linked: bool = False
    created_at: datetime
    disabled_at: datetime | None = None
    erased_at: datetime | None = None


class Key(Told):
    """An API key, without its secret."""

    key_id: str
    organisation_id: str
    member_id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class Event(Told):
    """Who did what to which object."""

    event_id: str
    at: datetime
    actor: str
    key_id: str | None = None
    organisation_id: str
    action: str
    object_id: str
    parties: tuple[str, ...] = ()
    detail: dict[str, Any]
