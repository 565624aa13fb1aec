"""The finding as it is stored: immutable, complete, and without the names of others.

It names references by id; file names and owners are looked up when it is shown. So erasing a reference takes its names
out of all earlier findings, which need not change for that. Pictures and verdict can be made again from what is here.
"""

from pydantic import ValidationError

from imgguard import __version__
from imgguard.errors import DigestMismatch, NotFound
from imgguard.ports import Catalogue, StoredFinding
from imgguard.services.contract import CheckLine, Match

SCHEMA = 1


class StoredMatch(Match):
    """A match, and the measurements that its verdict was derived from."""

    features: dict[str, float]


class FindingDocument(CheckLine):
    """A `check` line without evidence, timings, names of references, and where its picture was fetched, which is kept
    beside it; and with what else its making depended on."""

    matches: list[StoredMatch]  # type: ignore[assignment]
    schema_version: int
    imgguard_version: str
    profile: str
    generation_id: str
    query_weights: str
    query_pixel_digest: str


def stored_match(match: Match, features: dict[str, float]) -> StoredMatch:
    """``match`` as a finding keeps it."""
    return StoredMatch.model_validate(
        {**dict(match), "file": None, "owner": None, "evidence": None, "features": features}
    )


def document_of(
    line: CheckLine,
    matches: list[StoredMatch],
    *,
    profile: str,
    generation_id: str,
    query_weights: str,
    query_pixel_digest: str,
) -> str:
    """The text of a finding's document."""
    document = FindingDocument.model_validate(
        {
            **dict(line),
            "matches": matches,
            "timings_ms": None,
            "schema_version": SCHEMA,
            "imgguard_version": __version__,
            "profile": profile,
            "generation_id": generation_id,
            "query_weights": query_weights,
            "query_pixel_digest": query_pixel_digest,
        }
    )
    return document.model_dump_json()


def read(stored: StoredFinding) -> FindingDocument:
    """The document of a finding. Raises DigestMismatch when it is not one."""
    try:
        return FindingDocument.model_validate_json(stored.document)
    except ValidationError as error:
        raise DigestMismatch(f"the document of {stored.finding_id} is damaged") from error


def line_of(document: FindingDocument, catalogue: Catalogue) -> CheckLine:
    """The contract's line of a stored finding, with the names that its references have today."""
    matches = [_named(match, catalogue) for match in document.matches]
    values = {name: getattr(document, name) for name in CheckLine.model_fields}
    return CheckLine.model_validate({**values, "matches": matches})


def _named(match: StoredMatch, catalogue: Catalogue) -> Match:
    values = {name: getattr(match, name) for name in Match.model_fields}
    try:
        reference = catalogue.reference(match.reference_id or "")
    except NotFound:
        return Match.model_validate(values)
    return Match.model_validate({**values, "file": reference.file, "owner": reference.owner})
