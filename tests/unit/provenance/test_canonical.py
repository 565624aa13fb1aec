"""One spelling of JSON, and nothing else."""

import pytest

from imgguard.errors import InputError, NotCanonical
from imgguard.provenance.canonical import LARGEST_INTEGER, parse_canonical, to_canonical


def parse(data: bytes) -> object:
    return parse_canonical(data, most_bytes=10_000)


def test_keys_are_sorted_by_utf16_and_nothing_is_escaped_that_need_not_be() -> None:
    value = {"\ufb33": 1, "\U0001f600": 2, "\r": '\u20ac$\x0f\nA\'B"\\\\"/', "é": [1.0, 1e-27, 4.50, True, None]}
    written = (
        '{"\\r":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/","é":[1,1e-27,4.5,true,null],"😀":2,"\ufb33":1}'.encode()
    )  # RFC 8785, 3.2
    assert to_canonical(value) == written
    assert parse(written) == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b"[NaN]",
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e400]",
        b"[1e20]",
        b"[100000000000000000000]",
        b"[9007199254740992]",
        b"[-9007199254740992]",
        b"[" + b"9" * 9_000 + b"]",
        b'["\\ud800"]',
        b'["\xed\xa0\x80"]',
        b"\xef\xbb\xbf[]",
        b'{"b":1,"a":2}',
        b"[1, 2]",
        b"[]\n",
        b" []",
        b"[1.0]",
        b"[-0]",
        b"[1E2]",
        b'["\\u0041"]',
        b'["\\/"]',
        b'["\\u001F"]',
        b"[" * 33 + b"]" * 33,
        b"[" * 5_000 + b"]" * 5_000,
        b'{"a":' * 1_600 + b"1" + b"}" * 1_600,
        b"",
        b"[",
        b"[]]",
        b"'a'",
        b"\xff",
        b"nan",
    ],
)
def test_any_other_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        parse(data)


def test_what_is_within_the_limits_is_read() -> None:
    assert parse(b"[" * 32 + b"]" * 32) is not None
    assert parse(b"[9007199254740991,-9007199254740991]") == [LARGEST_INTEGER, -LARGEST_INTEGER]
    assert parse(b'"' + b"a" * 9_998 + b'"') == "a" * 9_998
    with pytest.raises(NotCanonical, match="at most"):
        parse(b'"' + b"a" * 9_999 + b'"')


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**53, -(2**53), 1e20, "\ud800", {"\udfff": 1}, {1: 2}, {None: 1}, b"bytes", {1, 2}],
)
def test_what_has_no_canonical_form_is_not_written(value: object) -> None:
    with pytest.raises(InputError):
        to_canonical({"value": value})


def test_what_is_nested_too_deep_is_not_written() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InputError):
        to_canonical(deep)
