"""JSON in one spelling only (RFC 8785), so that its bytes can be hashed and signed."""

import json
from typing import Any, NoReturn

import rfc8785

from imgguard.errors import InputError, NotCanonical

LARGEST_INTEGER = 2**53 - 1
"""Beyond it JSON numbers are not exact everywhere (RFC 8785, 3.2.2.3): larger integers are written as texts."""

DEEPEST = 32
"""Arrays and objects within each other."""

_LONGEST_INTEGER = len(str(-LARGEST_INTEGER))


def to_canonical(value: object, *, deepest: int = DEEPEST) -> bytes:
    """``value`` (dicts with text keys, lists, texts, numbers, booleans, None) as RFC 8785 writes it.

    What this writes, `parse_canonical` reads. Raises InputError for what has no such form: NaN and infinities, integers
    beyond `LARGEST_INTEGER`, lone surrogates, keys that are no texts, what is nested deeper than ``deepest``.
    """
    try:
        _check_depth(value, deepest)
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    except (ValueError, TypeError, AttributeError, NotCanonical) as error:
        raise InputError(
            f"this has no canonical form: {error}", hint="Leave the value out, or make it a text."
        ) from error


def parse_canonical(data: bytes, *, most_bytes: int, deepest: int = DEEPEST) -> Any:
    """The value of which ``data`` is the canonical form, of at most ``most_bytes``.

    1  it is short enough, and UTF-8 without a byte order mark
    2  it is JSON in which no object has a key twice, without NaN, infinities and integers that are not exact
    3  it is not nested deeper than ``deepest``
    4  written again, it is the same bytes: order, spaces, escapes and numbers are those of RFC 8785

    Raises NotCanonical.
    """
    # 1
    if len(data) > most_bytes:
        raise NotCanonical(f"{len(data)} bytes, and at most {most_bytes} are read")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotCanonical("it is not UTF-8") from error
    if text.startswith("\ufeff"):
        raise NotCanonical("it begins with a byte order mark")
    # 2
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
    except RecursionError as error:
        raise NotCanonical(f"it is nested deeper than {deepest}") from error
    except ValueError as error:
        raise NotCanonical(f"it is not JSON: {error}") from error
    # 3
    _check_depth(value, deepest)
    # 4
    try:
        again = rfc8785.dumps(value)
    except ValueError as error:
        raise NotCanonical(f"it has no canonical form: {error}") from error
    if again != data:
        raise NotCanonical("it is not in the canonical spelling (RFC 8785)")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotCanonical("an object has a key twice")
    return found


def _constant(name: str) -> NoReturn:
    raise NotCanonical(f"{name} is no number of JSON")


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_INTEGER or abs(value := int(digits)) > LARGEST_INTEGER:
        raise NotCanonical(f"the integer {digits[:20]} is not exact: it has to be a text")
    return value


def _check_depth(value: object, deepest: int) -> None:
    """Raises NotCanonical; also for floats that would be written as integers that are not exact."""
    level, depth = [value], 0
    while level:
        inner: list[object] = []
        for one in level:
            if isinstance(one, float) and abs(one) > LARGEST_INTEGER and one.is_integer():
                raise NotCanonical(f"the number {one} is not exact")
            if isinstance(one, dict):
                inner.extend(one.values())
            elif isinstance(one, list | tuple):
                inner.extend(one)
        depth += any(isinstance(one, dict | list | tuple) for one in level)
        if depth > deepest:
            raise NotCanonical(f"it is nested deeper than {deepest}")
        level = inner
