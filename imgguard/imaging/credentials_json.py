"""Content credentials from JSON text: of a decoder process, which is not trusted, or of the database."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from functools import cache

from pydantic import TypeAdapter, ValidationError

from imgguard.imaging.credentials import (
    LONGEST_TEXT,
    MOST_ACTIONS,
    MOST_CODES,
    MOST_INGREDIENTS,
    MOST_JSON_BYTES,
    ContentCredentials,
    CredentialState,
)
from imgguard.imaging.wire import BadReply


@cache
def _adapter() -> TypeAdapter[ContentCredentials]:
    return TypeAdapter(ContentCredentials)


def parse(text: str | bytes) -> ContentCredentials:
    """Raises ValueError for what `imgguard.imaging.credentials.to_json` would not write."""
    if len(text) > MOST_JSON_BYTES:
        raise ValueError("too long")
    try:
        credentials = _adapter().validate_json(text, strict=True)
    except ValidationError as error:
        raise ValueError(f"not content credentials: {error.error_count()} errors") from error
    codes = max(map(len, (credentials.successes, credentials.failures, credentials.ingredient_failures)))
    if codes > MOST_CODES or len(credentials.actions) > MOST_ACTIONS or len(credentials.ingredients) > MOST_INGREDIENTS:
        raise ValueError("too many")
    if credentials.action_count < 0 or credentials.ingredient_count < 0:
        raise ValueError("a negative count")
    for value in _values(asdict(credentials)):
        if isinstance(value, str) and not (value.isprintable() and len(value) <= LONGEST_TEXT):
            raise ValueError("text that is too long, or cannot be printed")
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError("a time without offset")
    return credentials


def parse_reply(body: bytes | bytearray, *, trusting: bool) -> ContentCredentials:
    """What a decoder process reports. Raises BadReply."""
    try:
        credentials = parse(bytes(body))
    except ValueError as error:
        raise BadReply(f"not credentials a decoder sends: {error}") from error
    if credentials.state is CredentialState.TRUSTED and not trusting:
        raise BadReply("not credentials a decoder sends: trusted, where nobody is")
    return credentials


def _values(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from _values(part)
    else:
        yield value
