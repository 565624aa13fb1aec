"""``/v1/decisions``: what owners and reviewers decided about matches."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from imgguard.api.idempotency import idempotent
from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, cut
from imgguard.api.rights_schemas import Decision, NewDecision
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.errors import InputError, InvalidCursor, InvalidTransition, NotFound, PermissionDenied
from imgguard.registry import decisions
from imgguard.services.rights_objects import decision_object

router = APIRouter(prefix="/v1/decisions", tags=["decisions"], route_class=Route)
_LIST = "decisions"


class DecisionPage(PageOf[Decision]):
    """Oldest first; retracted ones too."""


def _shown(record: decisions.Decision) -> Decision:
    return Decision.model_validate(decision_object(record))


@router.get(
    "",
    operation_id="list_decisions",
    summary="Decisions about the own originals",
    responses=errors(PermissionDenied, InvalidCursor),
)
def list_decisions(page: PageDep, actor: ActorDep, services: ServicesDep) -> DecisionPage:
    """Whoever made them. Reviewers of the operator see all."""
    found = services.decisions.decisions(actor, after=page.after(_LIST), limit=page.limit + 1)
    records, cursor = cut(list(found), page, _LIST, key=lambda record: record.decision_id)
    return DecisionPage(items=[_shown(record) for record in records], next_cursor=cursor)


@router.post(
    "",
    operation_id="decide",
    summary="Decide about a match",
    status_code=201,
    response_model=Decision,
    responses=errors(PermissionDenied, NotFound, InputError, InvalidTransition),
)
@idempotent()
def decide(body: NewDecision, actor: ActorDep, services: ServicesDep) -> Response:
    """For the owner of the original, and for reviewers of the operator. It is remembered for this original and this
    picture, and applied to later checks; an earlier decision is overruled, not changed."""
    made = services.decisions.decide(actor, body.finding_id, body.reference_id, body.kind, note=body.note)
    return JSONResponse(_shown(made).model_dump(mode="json"), status_code=201)


@router.delete(
    "/{decision_id}",
    operation_id="retract_decision",
    summary="Retract a decision",
    responses=errors(PermissionDenied, NotFound),
)
def retract_decision(decision_id: str, actor: ActorDep, services: ServicesDep) -> Decision:
    """For the organisation that made it. It stays in the list and no longer counts; once more changes nothing."""
    return _shown(services.decisions.retract(actor, decision_id))
