"""The JSON of checks, references, works and jobs. What is shown is decided in `imgguard.services.views`; here it gets
the names and examples under which the API describes it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from imgguard.api.claim_schemas import ClaimsGiven
from imgguard.api.schemas import Number
from imgguard.services import views
from imgguard.services.contract import ErrorObject

_AT = "2026-03-01T12:00:00Z"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_ORGANISATION = "org_01jnv7k8ztq5v3n2c4m6p8r0sx"
_MEMBER = "mem_01jnv7kbw2g9h4j6k8m0n2p4qr"

CHECK: dict[str, Any] = {
    "finding_id": "fnd_01jnv7kn5d7f9h1k3m5p7r9t1v",
    "checked_at": _AT,
    "file": "listing.jpg",
    "sha256": _SHA256,
    "width": 640,
    "height": 480,
    "captured": {
        "url": "https://shop.example/listing.jpg",
        "final_url": "https://cdn.shop.example/7/listing.jpg",
        "fetched_at": _AT,
    },
    "profile": "thorough",
    "use": {"platform": "etsy", "territory": "DE", "shop": None, "kind": "listing"},
    "verdict": "copy",
    "conclusion": "unlicensed",
    "reasons": [],
    "matches": [],
    "weights": _SHA256,
    "calibration": _SHA256,
}
REFERENCE: dict[str, Any] = {
    "reference_id": "ref_01jnv7kq6f8h0k2m4p6r8t0v2x",
    "work_id": "wrk_01jnv7ks7h9k1m3p5r7t9v1x3z",
    "title": "Blue dress",
    "file": "blue-dress.jpg",
    "status": "active",
    "sha256": _SHA256,
    "media_type": "image/jpeg",
    "width": 1600,
    "height": 1200,
    "byte_length": 345678,
    "owner": "Sample Studio",
    "registered_at": _AT,
    "withdrawn_at": None,
    "erased_at": None,
    "claims": None,
    "proofs": None,
}
JOB: dict[str, Any] = {
    "job_id": "job_01jnv7kv8k0m2p4r6t8v0x2z4b",
    "organisation_id": _ORGANISATION,
    "member_id": _MEMBER,
    "key_id": None,
    "kind": "check",
    "options": {"profile": "thorough"},
    "state": "running",
    "is_over": False,
    "item_count": 3,
    "done_count": 1,
    "failed_count": 0,
    "waiting_count": 2,
    "created_at": _AT,
    "started_at": _AT,
    "finished_at": None,
}
_ITEM: dict[str, Any] = {
    "position": 1,
    "state": "done",
    "file": "listing.jpg",
    "sha256": _SHA256,
    "url": None,
    "attempts": 1,
    "result": {"finding_id": CHECK["finding_id"], "verdict": "copy", "conclusion": "unlicensed"},
    "error": None,
    "finished_at": _AT,
}


def _with(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [example]})


Profile = Literal["quick", "thorough"]
_Url = Annotated[str, Field(max_length=2000, description="http or https, of a public address.")]
_Word = Annotated[str | None, Field(max_length=200)]


class CheckByUrl(BaseModel):
    """What else is given says what the listing is for: licences are compared with it."""

    model_config = _with({"url": "https://shop.example/listing.jpg", "platform": "etsy", "territory": "DE"})

    url: _Url
    profile: Profile | None = None
    platform: _Word = None
    territory: _Word = None
    shop: _Word = None
    kind: _Word = None


class ReferenceByUrl(BaseModel):
    model_config = _with({"url": "https://studio.example/blue-dress.jpg", "title": "Blue dress"})

    url: _Url
    title: str | None = Field(default=None, max_length=1000, description="Of its work; default: like the file.")
    claims: ClaimsGiven | None = Field(default=None, description="What the claimant states about it.")


class Check(views.CheckView):
    """One check. ``verdict`` is what the pixels say, ``conclusion`` what follows for whoever wants to list it."""

    model_config = _with(CHECK)


class Reference(views.ReferenceView):
    """A registered original, for its owner."""

    model_config = _with(REFERENCE)


class Registered(views.RegisteredView):
    """What became of a picture that was handed in. ``similar``: what it resembles; ``error``: why that is incomplete,
    though the registration stands."""

    model_config = _with({"status": "registered", "reference": REFERENCE, "similar": [], "error": None})


class Removed(views.RemovedView):
    """The reference as it is now. ``unfinished`` says what could not be done yet, though the removal stands."""

    model_config = _with({"reference": {**REFERENCE, "status": "withdrawn", "withdrawn_at": _AT}, "unfinished": None})


class ReferenceChange(BaseModel):
    model_config = _with({"title": "Blue dress, front"})

    title: str = Field(max_length=1000, description="Of its work.")


class MatchPictures(BaseModel):
    """Names of the pictures of a match, as far as its owner lets them be seen; none when there is nothing to see."""

    model_config = _with({"pictures": ["side_by_side", "aligned", "checkerboard"]})

    pictures: list[str]


class Job(BaseModel):
    """Work on ``item_count`` pictures. ``waiting_count``: neither done nor failed; of a job that is over, those that
    were cancelled."""

    model_config = _with(JOB)

    job_id: str
    organisation_id: str
    member_id: str
    key_id: str | None
    kind: Literal["check", "register"]
    options: dict[str, Any]
    state: Literal["queued", "running", "done", "cancelled"]
    is_over: bool = Field(description="Whether no picture waits or is worked on any more.")
    item_count: int
    done_count: int
    failed_count: int
    waiting_count: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobItem(BaseModel):
    """One picture of a job, counted from 1. ``result`` is set when it is done, ``error`` when it has failed."""

    model_config = _with(_ITEM)

    position: int
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    file: str
    sha256: str | None
    url: str | None
    attempts: int
    result: dict[str, Any] | None
    error: ErrorObject | None
    finished_at: datetime | None


class Work(views.WorkView):
    """A picture with all its files."""

    model_config = _with(
        {
            "work_id": REFERENCE["work_id"],
            "title": "Blue dress",
            "created_at": _AT,
            "reference_ids": [REFERENCE["reference_id"]],
            "collection_ids": [],
        }
    )


class Collection(views.CollectionView):
    """A named set of works."""

    model_config = _with(
        {"collection_id": "col_01jnv7kx9m2p4r6t8v0x2z4b6d", "name": "Summer", "created_at": _AT, "work_count": 12}
    )


class CollectionName(BaseModel):
    model_config = _with({"name": "Summer"})

    name: str = Field(max_length=1000)


class Comparison(views.CompareView):
    """Two pictures, compared. Nothing is stored."""

    model_config = _with(
        {
            "file": "listing.jpg",
            "reference_file": "blue-dress.jpg",
            "sha256": _SHA256,
            "reference_sha256": _SHA256,
            "verdict": "no_match",
            "reasons": [],
            "match": None,
            "weights": _SHA256,
            "calibration": _SHA256,
        }
    )


class HashSearch(BaseModel):
    model_config = _with({"pdq": "f8f8f0cce0f4e84d" * 4, "distance": 31})

    pdq: str = Field(pattern="^[0-9A-Fa-f]{64}$", description="64 hexadecimal digits.")
    distance: Number = Field(default=31, ge=0, le=31, description="Most bits that may differ.")


class HashMatches(BaseModel):
    """At most 20, nearest first: own originals and those in `full`. No pixels were compared."""

    model_config = _with(
        {
            "items": [
                {
                    "number": 1,
                    "disclosure": "full",
                    "is_own": False,
                    "reference_id": "ref_01jv8m2k4n6p8r0t2v4x6z8a0b",
                    "file": "mug.jpg",
                    "owner": "Sample Studio",
                    "hamming_distance": 6,
                }
            ]
        }
    )

    items: list[views.HashMatchView]
