"""Settings that make no sense are refused when they are read, and the message names them."""

from typing import get_args

import pytest
from pydantic import ValidationError

from imgguard.fingerprint.weights import PACKAGED
from imgguard.imaging import wire
from imgguard.pipeline import PROFILES
from imgguard.settings import Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUERY_RETENTION_DAYS", "3000000"),
        ("QUERY_RETENTION_DAYS", "-1"),
        ("DECODE_SECONDS", "inf"),
        ("DECODE_SECONDS", "nan"),
        ("DECODE_SECONDS", "0"),
        ("DECODE_SECONDS", "1e9"),
        ("DECODE_MEMORY_BYTES", "99999999999999999999"),
        ("WEIGHTS", "nonsense"),
        ("WEIGHTS_PATH", ""),
        ("HOME", ""),
        ("HOME", "  "),
        ("MAX_IMAGE_BYTES", "4294967296"),
        ("MAX_IMAGE_PIXELS", "99999999999999999999"),
        ("MAX_IMAGE_FRAMES", "99999999999999999999"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"IMGGUARD_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert [error["loc"] for error in caught.value.errors()] == [(name.lower(),)]


def test_the_largest_file_fits_the_wire() -> None:
    (bound,) = [item.le for item in Settings.model_fields["max_image_bytes"].metadata if hasattr(item, "le")]
    header = wire.pack({}, memoryview(b""))
    assert len(header) == wire.PREFIX.size
    wire.PREFIX.pack(0, bound)


def test_weights_can_be_named() -> None:
    assert set(get_args(Settings.model_fields["weights"].annotation)) == {*PACKAGED, "custom"}


def test_the_description_of_candidates_says_where_quick_stops() -> None:
    described = Settings.model_fields["candidates"].description
    assert described is not None
    assert f"`quick` stops at {PROFILES['quick'].candidates}" in described
