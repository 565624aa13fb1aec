"""What is believed of what comes over the socket of the process that compares."""

import io
import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgguard.errors import ImgguardError, InputError, WeightsUnavailable
from imgguard.services.contract import CompareLine
from imgguard.verdict.finding import Verdict
from imgguard.worker import comparer_wire as wire
from imgguard.worker import frames

NAMES = wire.Names(file="a.jpg", reference_file="b.jpg", profile="quick")
LINE = CompareLine(
    file="a",
    reference_file="b",
    sha256="a" * 64,
    reference_sha256="b" * 64,
    verdict=Verdict.NO_MATCH,
    reasons=["no_candidate"],
    match=None,
    weights=None,
    calibration=None,
    timings_ms=None,
    error=None,
)


def reading(data: bytes) -> Callable[[int], bytes]:
    """Gives so many bytes, and fails when they are not there."""
    stream = io.BytesIO(data)

    def read(length: int) -> bytes:
        found = stream.read(length)
        if len(found) < length:
            raise EOFError
        return found

    return read


@given(st.text(max_size=255), st.binary(max_size=100), st.binary(max_size=100))
def test_a_request_comes_as_it_went(file: str, query: bytes, reference: bytes) -> None:
    names = NAMES.model_copy(update={"file": file})
    sent = b"".join(wire.request(names, query, reference))
    assert wire.read_request(reading(sent), most=100) == (names, query, reference)


def test_names_have_a_bound() -> None:
    with pytest.raises(InputError, match="too long"):
        wire.request(NAMES.model_copy(update={"file": "\N{SNOWMAN}" * 20_000}), b"", b"")


@pytest.mark.parametrize(
    "lengths", [(frames.MAX_HEADER_BYTES + 1, 0, 0), (2, 101, 0), (2, 0, 101), (2, 0, 2**32 - 1), (2**32 - 1, 0, 0)]
)
def test_a_request_with_lengths_beyond_the_bounds_is_not_read(lengths: tuple[int, int, int]) -> None:
    with pytest.raises(frames.BadFrame):
        wire.read_request(reading(wire.REQUEST.pack(*lengths)), most=100)


@pytest.mark.parametrize("header", [b"", b"{}", b"[" * 5_000, b"\xff\xfe", b'{"file": 1, "reference_file": "b"}', b"7"])
def test_a_request_without_names_is_refused(header: bytes) -> None:
    with pytest.raises(frames.BadFrame):
        wire.read_request(reading(wire.REQUEST.pack(len(header), 0, 0) + header), most=100)


def test_a_reply_beyond_the_bound_is_not_read() -> None:
    content = b"x" * frames.MAX_REPLY_BYTES
    assert frames.read_frame(reading(frames.frame(content))) == content
    with pytest.raises(frames.BadFrame):
        frames.read_frame(reading(frames.frame(content + b"x")))


def test_results_come_as_they_went() -> None:
    assert wire.parse(wire.result(LINE, is_spent=False)) == wire.Reply(outcome=LINE, is_spent=False)
    found = wire.parse(wire.result(WeightsUnavailable("gone" * 1_000, hint="h"), is_spent=True))
    assert isinstance(found.outcome, WeightsUnavailable)
    assert (found.outcome.detail, found.outcome.advice, found.is_spent) == ("gone" * 250, "h", True)


def test_an_error_of_no_known_code_is_a_bug() -> None:
    told = json.dumps({"problem": {"code": "__init__", "detail": "d", "hint": "h"}, "is_spent": False})
    assert type(wire.parse(told.encode()).outcome) is ImgguardError


HOSTILE = [
    b"",
    b"[]",
    b"\xff",
    b"[" * 5_000,
    frames.TAKEN,
    b'{"is_spent": false}',
    b'{"line": {"verdict": "copy"}, "is_spent": false}',
    b'{"problem": {"code": "x", "detail": 5, "hint": "h"}, "is_spent": false}',
    wire.result(LINE, is_spent=False).replace(b'"is_spent":false', b'"is_spent":false,"more":1'),
    wire.result(LINE, is_spent=False).replace(b'"no_match"', b'"surely"'),
    wire.result(LINE, is_spent=False).replace(b"a" * 64, b"../../../etc/passwd"),
    wire.result(LINE, is_spent=False).replace(b'"problem":null', b'"problem":{"code":"x","detail":"d","hint":"h"}'),
]


@pytest.mark.parametrize("content", HOSTILE)
def test_a_result_of_another_form_is_refused(content: bytes) -> None:
    with pytest.raises(frames.BadFrame):
        wire.parse(content)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_otherwise(content: bytes) -> None:
    for use in (lambda: wire.parse(content), lambda: wire.read_request(reading(content), most=100)):
        with suppress(frames.BadFrame, EOFError):
            use()
