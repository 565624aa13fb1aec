"""The JSON of licences and decisions, beside `imgguard.api.schemas`."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from imgguard.api import examples
from imgguard.api.examples import Example
from imgguard.api.schemas import Text, Token
from imgguard.registry.decisions import DecidedBy, DecisionKind
from imgguard.services.licences import MOST_WORKS
from imgguard.services.rights_inputs import LONGEST_NOTE

_STUDIO: Example = {"organisation_id": "org_01jnv7k8ztq5v3n2c4m6p8r0sx", "organisation": "Sample Studio"}
_SHOP: Example = {"organisation_id": "org_01jnv7m2c4m6p8r0sxk8ztq5v3", "organisation": "Sample Shop"}
_TERMS: Example = {
    "work_ids": ["wrk_01jnv7p0r2t4v6x8z0b2d4f6h8"],
    "uses": ["listing"],
    "platforms": ["aliexpress"],
    "territories": ["DE", "FR"],
    "starts_at": "2026-03-01T12:00:00Z",
    "ends_at": "2027-03-01T12:00:00Z",
    "note": "Spring collection",
}
_LICENCE: Example = {
    "licence_id": "lic_01jnv7q9s1v3x5z7b9d1f3h5k7",
    "licensor": _STUDIO,
    "licensee": _SHOP,
    "shop": None,
    "by_link": False,
    "holders": [],
    **_TERMS,
    "state": "valid",
    "ends_soon": False,
    "created_at": "2026-03-01T12:00:00Z",
    "revoked_at": None,
    "revision": 2,
}
_DOCUMENT: Example = {
    "document_id": "doc_01jnv7r3t5w7y9a1c3e5g7j9m1",
    "licence_id": "lic_01jnv7q9s1v3x5z7b9d1f3h5k7",
    "position": 1,
    "title": "Contract with the photographer",
    "media_type": "application/pdf",
    "sha256": "9f2c" * 16,
    "byte_length": 48211,
    "added_at": "2026-03-01T12:05:00Z",
}
_WHOLE: Example = {**_LICENCE, "documents": [_DOCUMENT]}
_DECISION: Example = {
    "decision_id": "dec_01jnv7s5v7x9z1b3d5f7h9k1n3",
    "reference_id": "ref_01jnv7t7x9z1b3d5f7h9k1n3q5",
    "finding_id": "fnd_01jnv7v9z1b3d5f7h9k1n3q5s7",
    "kind": "not_a_copy",
    "by": "owner",
    "organisation_id": _STUDIO["organisation_id"],
    "member_id": examples.MEMBER["member_id"],
    "note": "Another model of the same year",
    "decided_at": "2026-03-01T12:00:00Z",
    "retracted_at": None,
}

_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]", re.ASCII | re.IGNORECASE)
Note = Annotated[str, Field(max_length=2 * LONGEST_NOTE, description=f"At most {LONGEST_NOTE} characters.")]
Words = Annotated[list[Text], Field(max_length=1000, description="Empty: no limit.")]


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is beyond the years 1 to 9999 in UTC") from None


def _written_out(given: object) -> object:
    if not isinstance(given, datetime) and not (isinstance(given, str) and _DATE.match(given)):
        raise ValueError("a time is written as in ISO 8601, such as 2026-03-01T12:00:00Z")
    return given


Time = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_utc)]
"""With a zone, and no number of seconds since some moment; from here on in UTC."""


def _with(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [example]})


class Party(BaseModel):
    """An organisation, by the name that it has today."""

    organisation_id: str
    organisation: str


class LicenceHolder(Party):
    """Who took the link up, or was confirmed to run the shop."""

    accepted_at: datetime


class Licence(BaseModel):
    """Exactly one of ``licensee``, ``shop`` and ``by_link`` is set."""

    model_config = _with(_LICENCE)

    licence_id: str
    licensor: Party
    licensee: Party | None
    shop: str | None = Field(description="The shop that it is for, by name.")
    by_link: bool = Field(description="It is for everyone who takes its link up.")
    holders: list[LicenceHolder] = Field(description="All of them for the licensor, for others only themselves.")
    work_ids: list[str] | None = Field(description="Null: all works of the licensor, later ones too.")
    uses: list[str] = Field(description="Empty: no limit.")
    platforms: list[str] = Field(description="Empty: no limit.")
    territories: list[str] = Field(description="ISO 3166-1, two letters. Empty: no limit.")
    starts_at: datetime
    ends_at: datetime | None = Field(description="Null: without end.")
    state: Literal["valid", "not_started", "ended", "revoked"]
    ends_soon: bool = Field(description="It is not over, and ends within `IMGGUARD_LICENCE_REMINDER_DAYS`.")
    note: str = Field(description="Both sides read it.")
    created_at: datetime
    revoked_at: datetime | None
    revision: int | None = Field(
        description="Counts changes. Null for those who hold it: it would tell them how many others do."
    )


class LicenceDocument(BaseModel):
    """One link in the chain of authorisation."""

    model_config = _with(_DOCUMENT)

    document_id: str
    licence_id: str
    position: int = Field(description="From 1, whoever made the picture, down to the licensor.")
    title: str
    media_type: str = Field(description="By the content.")
    sha256: str
    byte_length: int
    added_at: datetime


class WholeLicence(Licence):
    model_config = _with(_WHOLE)

    documents: list[LicenceDocument] = Field(description="The chain of authorisation, in order.")


class GrantedLicence(BaseModel):
    """``secret`` is what everyone who is to have the licence takes it up with. It is shown this once, and null when
    the licence has no link."""

    model_config = _with(
        {
            "licence": {**_WHOLE, "licensee": None, "by_link": True, "revision": 1, "documents": []},
            "secret": examples.TOKEN,
        }
    )

    licence: WholeLicence
    secret: str | None


class NewLicence(BaseModel):
    """Exactly one of ``licensee_id``, ``shop`` and ``by_link`` is given. What is left out is no limit."""

    model_config = _with({"licensee_id": _SHOP["organisation_id"], **_TERMS})

    licensee_id: Text | None = Field(default=None, description="The organisation that holds it, at once.")
    shop: Text | None = Field(default=None, description="The name of a shop, to be confirmed later.")
    by_link: bool = Field(default=False, strict=True, description="For everyone with a link.")
    work_ids: list[Text] | None = Field(
        default=None, max_length=MOST_WORKS, description="Works of the own organisation. Null: all, later ones too."
    )
    uses: Words = []
    platforms: Words = []
    territories: Words = []
    starts_at: Time | None = Field(default=None, description="Null: now.")
    ends_at: Time | None = Field(default=None, description="Null: without end.")
    note: Note = ""


class Extension(BaseModel):
    model_config = _with({"ends_at": "2028-03-01T12:00:00Z"})

    ends_at: Time | None = Field(description="Null: without end.")


class ShopConfirmation(BaseModel):
    model_config = _with({"organisation_id": _SHOP["organisation_id"]})

    organisation_id: Text = Field(description="Who runs the shop.")


class LicenceLink(BaseModel):
    model_config = _with({"token": examples.TOKEN})

    token: Token


class Decision(BaseModel):
    """What somebody decided about an original and a picture that was checked."""

    model_config = _with(_DECISION)

    decision_id: str
    reference_id: str
    finding_id: str = Field(description="In which the two were found to match.")
    kind: DecisionKind
    by: DecidedBy = Field(
        description="In which capacity: as the owner of the original, or as reviewer of the operator."
    )
    organisation_id: str
    member_id: str
    note: str
    decided_at: datetime
    retracted_at: datetime | None = Field(description="Since when it does not count any more.")


class NewDecision(BaseModel):
    model_config = _with({name: _DECISION[name] for name in ("finding_id", "reference_id", "kind", "note")})

    finding_id: Text
    reference_id: Text = Field(description="Of the original, which is in a match of the finding.")
    kind: DecisionKind
    note: Note = ""
