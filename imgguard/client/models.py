"""What the server tells, as frozen objects. docs/privacy.md says which fields of others' originals are null.

Unknown fields are ignored and words are plain text, so that a newer server does not break an older client.
"""

from datetime import datetime
from typing import Any

from imgguard.client.claim_models import AttachedProof, StatedClaims
from imgguard.client.told import Told

type Point = tuple[float, float]
type Row = tuple[float, float, float]


class ErrorInfo(Told):
    """``code`` is stable (docs/errors.md), ``detail`` is for people."""

    code: str
    detail: str


class CredentialsSigner(Told):
    """Of the certificate that signed."""

    common_name: str | None
    organisation: str | None
    issuer: str | None
    serial: str | None
    not_before: datetime | None
    not_after: datetime | None


class CredentialsAction(Told):
    """One step, as the file tells it."""

    code: str
    software: str | None
    at: datetime | None
    source_type: str | None


class CredentialsIngredient(Told):
    """A file that it was made from, as the file tells it."""

    title: str | None
    relationship: str | None


class ContentCredentials(Told):
    """What a file says of its own making (C2PA), and whether that is intact: docs/content-credentials.md."""

    state: str
    successes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    ingredient_failures: tuple[str, ...] = ()
    signer: CredentialsSigner | None = None
    signed_at: datetime | None = None
    timestamp: str = "none"
    revocation: str = "not_known"
    generator: str | None = None
    device: str | None = None
    actions: tuple[CredentialsAction, ...] = ()
    action_count: int = 0
    ingredients: tuple[CredentialsIngredient, ...] = ()
    ingredient_count: int = 0
    ai_generated: str = "not_stated"
    remarks: tuple[str, ...] = ()
    reader: str | None = None


# references and works


class Reference(Told):
    """A registered original, for its owner. ``etag`` says which revision this is: see `Client.change_reference`.
    ``claims`` and ``proofs`` are null in lists."""

    reference_id: str
    work_id: str | None
    title: str | None
    file: str | None
    status: str
    sha256: str | None
    media_type: str | None
    width: int | None
    height: int | None
    byte_length: int | None
    content_credentials: ContentCredentials | None = None
    owner: str | None
    registered_at: datetime
    withdrawn_at: datetime | None
    erased_at: datetime | None
    claims: tuple[StatedClaims, ...] | None = None
    proofs: tuple[AttachedProof, ...] | None = None
    etag: str | None = None


class Removed(Told):
    """The reference as it is now. ``unfinished``: what could not be done yet, though the removal stands."""

    reference: Reference
    unfinished: ErrorInfo | None = None


class Work(Told):
    """A picture with all its files."""

    work_id: str
    title: str | None
    created_at: datetime
    reference_ids: tuple[str, ...]
    collection_ids: tuple[str, ...] = ()


class Collection(Told):
    """A named set of works."""

    collection_id: str
    name: str
    created_at: datetime
    work_count: int
    etag: str | None = None


# checks


class LicenceStanding(Told):
    """How a use stands to the licences one holds: ``licensed``, ``out_of_scope``, ``expired`` or ``none``."""

    status: str
    licence_id: str | None
    ends_at: datetime | None
    because: tuple[str, ...] = ()


class DecisionShown(Told):
    """What people decided about the pair."""

    kind: str
    decided_at: datetime
    by: str


class Transform(Told):
    """``matrix`` maps pixels of the original to pixels of the checked picture."""

    matrix: tuple[Row, Row, Row]
    mirrored: bool
    rotation_degrees: float
    scale: float


class Match(Told):
    """One match, as far as its owner lets it be seen. A field that is withheld is None."""

    number: int
    disclosure: str
    is_own: bool
    match_id: str | None = None
    standing: str | None = None
    licence: LicenceStanding | None = None
    decision: DecisionShown | None = None
    verdict: str | None = None
    strength: str | None = None
    reference_id: str | None = None
    file: str | None = None
    owner: str | None = None
    relation: str | None = None
    reasons: tuple[str, ...] | None = None
    query_coverage: float | None = None
    query_region: tuple[Point, ...] | None = None
    reference_outline: tuple[Point, ...] | None = None
    edits: tuple[str, ...] | None = None
    log10_likelihood_ratio: float | None = None
    cosine_similarity: float | None = None
    hamming_distance: int | None = None
    inlier_count: int | None = None
    agreement: float | None = None
    reference_coverage: float | None = None
    transform: Transform | None = None
    reference_region: tuple[Point, ...] | None = None
    reference_credentials: ContentCredentials | None = None


class Use(Told):
    """What the asker said that the listing is for."""

    platform: str | None = None
    territory: str | None = None
    shop: str | None = None
    kind: str | None = None


class Captured(Told):
    """Where the server fetched a picture: ``url`` is what was asked for, ``final_url`` where redirects led."""

    url: str
    final_url: str
    fetched_at: datetime


class Check(Told):
    """One check. ``verdict`` is what the pixels say, ``conclusion`` what follows for whoever wants to list it."""

    finding_id: str
    checked_at: datetime
    file: str
    sha256: str
    width: int
    height: int
    content_credentials: ContentCredentials | None = None
    captured: Captured | None = None
    profile: str
    use: Use | None = None
    verdict: str
    conclusion: str
    reasons: tuple[str, ...]
    matches: tuple[Match, ...]
    weights: str
    calibration: str


class Comparison(Told):
    """Two pictures, compared; nothing is stored."""

    file: str
    reference_file: str
    sha256: str
    reference_sha256: str
    verdict: str
    reasons: tuple[str, ...]
    match: Match | None
    weights: str
    calibration: str


class HashMatch(Told):
    """A registered picture whose PDQ hash is near the one asked about. No pixels were compared."""

    number: int
    disclosure: str
    is_own: bool
    reference_id: str
    file: str | None = None
    owner: str | None = None
    hamming_distance: int


class Registered(Told):
    """What became of a picture: ``status`` is ``registered`` or ``duplicate``. ``similar``: what it resembles."""

    status: str
    reference: Reference
    similar: tuple[Match, ...] = ()
    error: ErrorInfo | None = None


# feeds


class Feed(Told):
    """A product feed, and how far the job is that checks its pictures."""

    feed_id: str
    job_id: str
    file: str
    url: str | None = None
    form: str
    encoding: str
    product_count: int
    picture_count: int
    state: str
    is_over: bool
    done_count: int
    failed_count: int
    waiting_count: int = 0
    created_at: datetime
    finished_at: datetime | None = None


class FeedMatch(Told):
    """One match, as far as its owner lets it be seen. A field that is withheld is None."""

    match_id: str | None = None
    is_own: bool
    verdict: str | None = None
    strength: str | None = None
    standing: str | None = None
    licence: LicenceStanding | None = None
    owner: str | None = None
    reference_id: str | None = None


class FeedLine(Told):
    """One picture of one product; or a product that was passed over (``state`` is ``skipped``), without a picture."""

    row: int
    product_id: str
    title: str
    link: str
    picture: str | None = None
    column: str | None = None
    position: int | None = None
    state: str
    error: ErrorInfo | None = None
    finding_id: str | None = None
    check: str | None = None
    verdict: str | None = None
    conclusion: str | None = None
    matches: tuple[FeedMatch, ...] = ()


# jobs


class Job(Told):
    """Work on ``item_count`` pictures. It is over when no item waits or is worked on any more."""

    job_id: str
    kind: str
    state: str
    is_over: bool
    item_count: int
    done_count: int
    failed_count: int
    waiting_count: int = 0
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class JobItem(Told):
    """``position`` counts from 1. ``result`` is set when it is done, ``error`` when it has failed."""

    position: int
    state: str
    file: str
    sha256: str | None = None
    url: str | None = None
    attempts: int = 0
    result: dict[str, Any] | None = None
    error: ErrorInfo | None = None
    finished_at: datetime | None = None
