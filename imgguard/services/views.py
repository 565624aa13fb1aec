"""What people and programs are shown of references, works and checks: plain JSON, the same wherever it is sent.

A field that does not apply, or that is not told to whoever asks, is null. docs/privacy.md says what is told to whom.
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from imgguard.ports import FiledReference
from imgguard.registry.decisions import Decision
from imgguard.registry.licences import Because, LicenceStanding, LicenceStatus, Use
from imgguard.registry.records import ReferenceStatus
from imgguard.registry.standing import Summary
from imgguard.registry.works import Collection, Work
from imgguard.services.claim_views import ProofView, StatementView, proof_view, statement_view
from imgguard.services.contract import Captured, Credentials, ErrorObject, Match, MatchVerdict, Point, TransformObject
from imgguard.services.credentials import credentials_of
from imgguard.verdict.finding import Edit, Relation, Strength, Verdict

Disclosed = Literal["everything", "full", "outline", "contact", "erased"]
"""How much of a match is shown: everything to the owner and to reviewers of the operator; what its policy says to
others; nothing of what is erased."""

Conclusion = Literal["clear", "own", "licensed", "unlicensed", "undecided"]


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, ser_json_inf_nan="null")


# checks


class UseView(_View):
    """What the asker said that the listing is for."""

    platform: str | None
    territory: str | None
    shop: str | None
    kind: str | None


class LicenceView(_View):
    """How the use stands to the licences that the asker holds."""

    status: LicenceStatus
    licence_id: str | None
    ends_at: AwareDatetime | None
    because: list[Because]


class DecisionView(_View):
    """What people decided about the pair."""

    kind: str
    decided_at: AwareDatetime
    by: str


class MatchView(_View):
    """One match, as far as it is shown."""

    match_id: str | None = Field(description="Null where nothing is stored.")
    number: int = Field(ge=1, description="Its place among the matches that are shown to you.")
    disclosure: Disclosed
    is_own: bool
    standing: Summary | None
    licence: LicenceView | None
    decision: DecisionView | None
    verdict: MatchVerdict | None
    strength: Strength | None
    reference_id: str | None = None
    file: str | None = None
    owner: str | None = None
    relation: Relation | None = None
    reasons: list[str] | None = None
    query_coverage: float | None = None
    query_region: list[Point] | None = Field(default=None, description="In pixels of the checked picture.")
    reference_outline: list[Point] | None = Field(
        default=None, description="In fractions (0 to 1) of the original's width and height."
    )
    edits: list[Edit] | None = None
    log10_likelihood_ratio: float | None = None
    cosine_similarity: float | None = None
    hamming_distance: int | None = None
    inlier_count: int | None = None
    agreement: float | None = None
    reference_coverage: float | None = None
    transform: TransformObject | None = None
    reference_region: list[Point] | None = Field(default=None, description="In pixels of the original.")
    reference_credentials: Credentials = None


class CheckView(_View):
    """One check. ``verdict`` is what the pixels say, ``conclusion`` what follows for whoever wants to list it."""

    finding_id: str
    checked_at: AwareDatetime
    file: str
    sha256: str
    width: int
    height: int
    content_credentials: Credentials = None
    captured: Captured | None = Field(
        default=None, description="Null for a picture that was sent, and for checks from before this was kept."
    )
    profile: str
    use: UseView | None = Field(description="Null for a check made on the machine itself.")
    verdict: Verdict
    conclusion: Conclusion
    reasons: list[str]
    matches: list[MatchView]
    weights: str
    calibration: str


class CompareView(_View):
    """Two pictures of the asker, compared. Nothing is stored."""

    file: str
    reference_file: str
    sha256: str
    reference_sha256: str
    verdict: Verdict
    reasons: list[str]
    match: MatchView | None
    weights: str
    calibration: str


class HashMatchView(_View):
    """A registered picture whose PDQ hash is near the one asked about. No pixels were compared."""

    number: int
    disclosure: Literal["everything", "full"]
    is_own: bool
    reference_id: str
    file: str | None
    owner: str | None
    hamming_distance: int


# references and works


class ReferenceView(_View):
    """A reference, for its owner."""

    reference_id: str
    work_id: str | None
    title: str | None
    file: str | None
    status: ReferenceStatus
    sha256: str | None
    media_type: str | None
    width: int | None
    height: int | None
    byte_length: int | None
    content_credentials: Credentials = None
    owner: str | None
    registered_at: AwareDatetime
    withdrawn_at: AwareDatetime | None
    erased_at: AwareDatetime | None
    claims: list[StatementView] | None = Field(
        default=None,
        description="What the claimant states (not verified), oldest first; null in lists and once erased.",
    )
    proofs: list[ProofView] | None = Field(
        default=None,
        description="Files that the claimant attached (not examined), oldest first; null in lists and once erased.",
    )


class RegisteredView(_View):
    """What became of a picture that was handed in. ``similar``: what it resembles; ``error``: why that is incomplete,
    though the registration stands."""

    status: Literal["registered", "duplicate"]
    reference: ReferenceView
    similar: list[MatchView]
    error: ErrorObject | None


class RegistrationRecord(_View):
    """What a job keeps of a registration: ``similar`` unredacted and without names, for whoever looks at it later sees
    what the owners' policies allow by then, and what was erased is not kept here."""

    status: Literal["registered", "duplicate"]
    reference_id: str
    similar: list[Match]
    error: ErrorObject | None


class RemovedView(_View):
    """The reference as it is now. ``unfinished`` says what could not be done yet, though the removal stands."""

    reference: ReferenceView
    unfinished: ErrorObject | None


class WorkView(_View):
    """A picture with all its files."""

    work_id: str
    title: str | None
    created_at: AwareDatetime
    reference_ids: list[str]
    collection_ids: list[str]


class CollectionView(_View):
    """A named set of works."""

    collection_id: str
    name: str
    created_at: AwareDatetime
    work_count: int


def base_name(file: str | None) -> str | None:
    """Without the folders, which are nobody's business: those of Windows too."""
    return None if file is None else file.replace("\\", "/").rstrip("/").rpartition("/")[2] or None


def use_view(use: Use) -> UseView:
    return UseView(platform=use.platform, territory=use.territory, shop=use.shop, kind=use.kind)


def licence_view(licence: LicenceStanding | None) -> LicenceView | None:
    if licence is None:
        return None
    return LicenceView(
        status=licence.status,
        licence_id=licence.licence_id,
        ends_at=licence.ends_at,
        because=list(licence.because),
    )


def decision_view(decision: Decision | None) -> DecisionView | None:
    if decision is None:
        return None
    return DecisionView(kind=decision.kind, decided_at=decision.decided_at, by=decision.by)


def reference_view(filed: FiledReference) -> ReferenceView:
    reference, content = filed.reference, filed.content
    return ReferenceView(
        reference_id=reference.reference_id,
        work_id=reference.work_id,
        title=filed.title,
        file=base_name(reference.file),
        status=reference.status,
        sha256=reference.sha256,
        media_type=None if content is None else content.media_type,
        width=None if content is None else content.width,
        height=None if content is None else content.height,
        byte_length=None if content is None else content.byte_length,
        content_credentials=None if content is None else credentials_of(content.credentials),
        owner=reference.owner,
        registered_at=reference.registered_at,
        withdrawn_at=reference.withdrawn_at,
        erased_at=reference.erased_at,
        claims=None
        if content is None or filed.statements is None
        else [statement_view(one) for one in filed.statements],
        proofs=None if content is None or filed.proofs is None else [proof_view(one) for one in filed.proofs],
    )


def work_view(work: Work) -> WorkView:
    return WorkView(
        work_id=work.work_id,
        title=work.title,
        created_at=work.created_at,
        reference_ids=list(work.reference_ids),
        collection_ids=list(work.collection_ids),
    )


def collection_view(collection: Collection) -> CollectionView:
    return CollectionView(
        collection_id=collection.collection_id,
        name=collection.name,
        created_at=collection.created_at,
        work_count=collection.work_count,
    )
