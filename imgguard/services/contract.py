"""The JSON contract: the shape of every line that `register`, `check` and `compare` print.

Others build on these names. Field order is the order of output; a field that does not apply is null.
docs/json-contract.md explains each one, and docs/schema/ holds the JSON Schemas generated from here.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from imgguard.imaging.credentials import ContentCredentials
from imgguard.verdict.finding import Edit, Relation, Strength, Verdict

type Point = tuple[float, float]
type Row = tuple[float, float, float]

MatchVerdict = Literal[Verdict.COPY, Verdict.SAME_PRODUCT, Verdict.INCONCLUSIVE]
Credentials = Annotated[
    ContentCredentials | None, Field(description="What the file says of its own making (C2PA); null for nothing.")
]
Sha256 = Field(pattern="^[0-9a-f]{64}$")


class _Object(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        ser_json_inf_nan="null",
        json_schema_serialization_defaults_required=True,
    )


class ErrorObject(_Object):
    """Why an input has no result. ``code`` is stable (docs/errors.md), ``detail`` is for people."""

    code: str
    detail: str


class Captured(_Object):
    """Where the installation fetched a picture: ``url`` is what was asked for, ``final_url`` where redirects led."""

    url: str
    final_url: str
    fetched_at: AwareDatetime = Field(description="When the answer was complete, by the installation's own clock.")


class TransformObject(_Object):
    """Geometry of a match: ``matrix`` maps reference pixels to query pixels, both upright, origin top left."""

    matrix: tuple[Row, Row, Row]
    mirrored: bool
    rotation_degrees: float
    scale: float


class Match(_Object):
    """One registered reference that the picture was compared with."""

    reference_id: str | None = Field(description="Null in `compare`, where nothing is registered.")
    file: str | None = Field(description="As registered; null once the reference is erased.")
    owner: str | None
    verdict: MatchVerdict
    relation: Relation | None
    log10_likelihood_ratio: float
    strength: Strength
    reasons: list[str]
    cosine_similarity: float = Field(ge=-1.01, le=1.01)
    hamming_distance: int | None = Field(ge=0, le=256)
    inlier_count: int = Field(ge=0)
    agreement: float | None = Field(ge=-1.01, le=1.01)
    query_coverage: float | None = Field(ge=0, le=1.01)
    reference_coverage: float | None = Field(ge=0, le=1.01)
    transform: TransformObject | None
    query_region: list[Point] | None
    reference_region: list[Point] | None
    edits: list[Edit]
    evidence: dict[str, str] | None = Field(
        description="Name of a picture -> its path. Null if none was asked for, empty if none was or could be drawn."
    )


class Timings(_Object):
    """Milliseconds spent in each stage of one check."""

    decode: float = Field(ge=0)
    fingerprint: float = Field(ge=0)
    search: float = Field(ge=0)
    verify: float = Field(ge=0)
    total: float = Field(ge=0)


class CheckLine(_Object):
    """One line of `imgguard check --json`."""

    file: str
    finding_id: str | None
    sha256: str | None = Sha256
    width: int | None = Field(ge=1)
    height: int | None = Field(ge=1)
    content_credentials: Credentials = None
    captured: Captured | None = Field(
        default=None, description="Null for a picture that was sent, and for checks from before this was kept."
    )
    verdict: Verdict
    reasons: list[str]
    matches: list[Match]
    weights: str | None = Sha256
    calibration: str | None = Sha256
    timings_ms: Timings | None
    error: ErrorObject | None


class RegisterLine(_Object):
    """One line of `imgguard register --json`."""

    file: str
    status: Literal["registered", "duplicate", "rejected"]
    reference_id: str | None
    sha256: str | None = Sha256
    similar: list[Match]
    error: ErrorObject | None


class CompareLine(_Object):
    """What `imgguard compare --json` prints. ``match`` is null when the pictures have nothing in common."""

    file: str
    reference_file: str
    sha256: str | None = Sha256
    reference_sha256: str | None = Sha256
    verdict: Verdict
    reasons: list[str]
    match: Match | None
    weights: str | None = Sha256
    calibration: str | None = Sha256
    timings_ms: Timings | None
    error: ErrorObject | None


LINES: dict[str, type[BaseModel]] = {"check": CheckLine, "register": RegisterLine, "compare": CompareLine}


def json_schema(command: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one line of ``command``: `check`, `register` or `compare`."""
    schema = LINES[command].model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://imgguard.invalid/schema/{command}.schema.json",
        **schema,
    }
