"""What members of JSON objects may be. A check takes a value and says where it stands; it raises RecordInvalid."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from imgguard.errors import RecordInvalid
from imgguard.provenance.canonical import LARGEST_INTEGER

type Check = Callable[[object, str], None]

_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z")
_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")


def is_hex(value: object, byte_count: int) -> bool:
    """Whether it is the text of so many bytes, in lower case."""
    return isinstance(value, str) and len(value) == 2 * byte_count and _HEX.fullmatch(value) is not None


def is_time(value: object) -> bool:
    """Whether it is a time that exists, as ``YYYY-MM-DDTHH:MM:SSZ`` or with milliseconds."""
    return isinstance(value, str) and _TIME.fullmatch(value) is not None and _exists(value)


def is_date(value: object) -> bool:
    """Whether it is a year, month or day that exists: ``2026``, ``2026-11``, ``2026-11-22``."""
    return isinstance(value, str) and _DATE.fullmatch(value) is not None and _exists(value + "-01-01"[len(value) - 4 :])


def _exists(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def fail(where: str, wanted: str) -> None:
    """Raises RecordInvalid."""
    raise RecordInvalid(f"{where} is not {wanted}")


def digest(value: object, where: str) -> None:
    if not is_hex(value, 32):
        fail(where, "a SHA-256 digest in lower-case hex")


def time(value: object, where: str) -> None:
    if not is_time(value):
        fail(where, "a time in UTC as YYYY-MM-DDTHH:MM:SSZ")


def date_or_time(value: object, where: str) -> None:
    if not is_time(value) and not is_date(value):
        fail(where, "a year, month, day, or time in UTC")


def text(longest: int) -> Check:
    """1 to ``longest`` characters."""

    def check(value: object, where: str) -> None:
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            fail(where, f"a text of 1 to {longest} characters")

    return check


def integer(least: int) -> Check:
    """From ``least`` up to the largest that JSON has exactly."""

    def check(value: object, where: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST_INTEGER:
            fail(where, f"an integer from {least} to {LARGEST_INTEGER}")

    return check


def one_of(words: Collection[str]) -> Check:
    def check(value: object, where: str) -> None:
        if not isinstance(value, str) or value not in words:
            fail(where, f"one of {', '.join(sorted(words))}")

    return check


def list_of(each: Check, most: int) -> Check:
    def check(value: object, where: str) -> None:
        if not isinstance(value, list) or len(value) > most:
            fail(where, f"a list of at most {most}")
            return
        for number, one in enumerate(value):
            each(one, f"{where}[{number}]")

    return check


def map_of(key: Check, each: Check, most: int) -> Check:
    def check(value: object, where: str) -> None:
        if not isinstance(value, dict) or len(value) > most:
            fail(where, f"an object of at most {most} members")
            return
        for name, one in value.items():
            key(name, f"a key of {where}")
            each(one, f"{where}.{name}")

    return check


def any_object(value: object, where: str) -> None:
    """Of any members: what can be in it, canonical JSON says."""
    if not isinstance(value, dict):
        fail(where, "an object")


def members(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with all of the ``required`` members, any of the ``optional`` ones, and no others."""
    known = {**required, **(optional or {})}

    def check(value: object, where: str) -> None:
        if not isinstance(value, dict):
            fail(where, "an object")
            return
        missing, other = sorted(required.keys() - value.keys()), sorted(value.keys() - known.keys(), key=repr)
        if missing or other:
            fail(where, f"as it should be: missing {missing}, not known {[str(one)[:40] for one in other[:5]]}")
        for name, one in value.items():
            known[name](one, f"{where}.{name}")

    return check


def checked(value: Any, check: Check, where: str) -> Any:
    """``value``, when ``check`` lets it pass. Raises RecordInvalid."""
    check(value, where)
    return value
