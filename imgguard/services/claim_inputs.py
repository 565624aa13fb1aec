"""What people state about a picture: accepted, or refused with the name of the field that is wrong."""

import json
from typing import Any, NoReturn

from imgguard.errors import InputError, RecordInvalid
from imgguard.provenance.canonical import to_canonical
from imgguard.provenance.records import Claims, ProofKind, claims_of
from imgguard.registry.names import composed

LONGEST_CLAIMS = 100_000
"""Bytes in canonical JSON: records have room for a little more than twice as many."""

LONGEST_NAME = 300
"""Characters of the name of a proof, as records have it."""

_HINT = "docs/claims.md says what can be stated, and in which form."


def checked_claims(value: object) -> Claims:
    """``value`` is plain JSON. Raises InputError."""
    try:
        claims = claims_of(value)
    except RecordInvalid as error:
        raise InputError(error.detail, hint=_HINT) from error
    plain = claims.to_object()
    if not plain:
        raise InputError("the claims say nothing", hint=_HINT)
    _check_texts(claims)
    if len(to_canonical(plain)) > LONGEST_CLAIMS:
        raise InputError(f"the claims have more than {LONGEST_CLAIMS} bytes", hint="Say less, or attach a file.")
    return claims


def _check_texts(claims: Claims) -> None:
    lines = {"dates": [what for what, _ in claims.dates], "places": claims.places, "urls": claims.urls}
    for name, texts in lines.items():
        for number, text in enumerate(texts):
            if not text.isprintable():
                raise InputError(f"claims.{name}[{number}] is not a line of printable text", hint=_HINT)
    for number, url in enumerate(claims.urls):
        if not url.lower().startswith(("http://", "https://")):
            raise InputError(f"claims.urls[{number}] does not begin with http:// or https://", hint=_HINT)
    if not (claims.statement or "").replace("\n", "").replace("\t", "").isprintable():
        raise InputError("claims.statement is not printable text", hint=_HINT)


def claims_in(text: str | bytes) -> Claims:
    """The claims in a JSON text. Raises InputError."""
    return checked_claims(json_in(text))


def json_in(text: str | bytes) -> object:
    """In which no object has a name twice, as Python would accept. Raises InputError."""
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the claims are not JSON: {error}", hint=_HINT) from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def joined(*several: Claims | None) -> Claims | None:
    """All of them as one, None when there are none. Raises InputError for two different statements, or too much."""
    given = [claims for claims in several if claims is not None]
    if not given:
        return None
    said = {claims.statement: None for claims in given if claims.statement}
    if len(said) > 1:
        raise InputError("two different statements about one picture", hint="Leave one of them out.")
    together = Claims(
        dates=_once(date for claims in given for date in claims.dates),
        places=_once(place for claims in given for place in claims.places),
        urls=_once(url for claims in given for url in claims.urls),
        statement=next(iter(said), None),
    )
    return checked_claims(together.to_object())


def _once[Item](items: Any) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(items))


def checked_kind(word: str) -> ProofKind:
    """Raises InputError."""
    if word not in tuple(ProofKind):
        raise InputError(f"{word[:40]!r} is no kind of proof", hint=f"Kinds are {', '.join(ProofKind)}.")
    return ProofKind(word)


def checked_proof_name(name: str) -> str:
    """Composed. Raises InputError."""
    name = composed(name)
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InputError(f"a proof has a name of 1 to {LONGEST_NAME} printable characters", hint="Give another name.")
    return name
