"""Files collected because they broke image libraries (the `hostile` folder of the development images)."""

import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from imgguard.errors import InputError
from imgguard.imaging.credentials import ContentCredentials, Generated, Timestamp
from imgguard.imaging.image import DecodedImage, DecodeLimits
from imgguard.imaging.sandbox import SandboxedDecoder

pytestmark = pytest.mark.data


def test_every_file_ends_in_a_picture_or_a_typed_error(hostile: Path):
    limits = DecodeLimits(seconds=10, memory_bytes=1_000_000_000)
    pictures = 0
    with SandboxedDecoder(limits) as decoder:
        for file in sorted(file for file in hostile.rglob("*") if file.is_file()):
            data, started = file.read_bytes(), time.monotonic()
            try:
                decoded = decoder.decode(data)
            except InputError:
                pass
            else:
                assert isinstance(decoded, DecodedImage)
                pictures += 1
            assert time.monotonic() - started < limits.seconds + 5, file.name
    assert pictures > 90


def test_sound_files_among_them_are_decoded(hostile: Path, decoder: SandboxedDecoder):
    for file in sorted((hostile / "content_credentials").glob("*.*")):
        if file.suffix in {".jpg", ".png", ".webp"}:
            assert decoder.decode(file.read_bytes()).width > 0, file.name


@pytest.mark.parametrize("shape", ["Landscape", "Portrait"])
def test_all_orientations_give_the_same_picture(shape, hostile: Path, decoder: SandboxedDecoder):
    pictures = [decoder.decode((hostile / "orientation" / f"{shape}_{n}.jpg").read_bytes()) for n in range(9)]
    assert [picture.orientation for picture in pictures] == [1, 1, 2, 3, 4, 5, 6, 7, 8]
    first = pictures[1]
    for picture in pictures:
        assert (picture.width, picture.height) == (first.width, first.height)
        # Each file is a JPEG compression of its own.
        assert np.abs(picture.working.astype(int) - first.working).mean() < 4


def test_what_cameras_and_editors_wrote_is_read(hostile: Path):
    """Files of C2PA's own test suite, some of them spoilt, some that name a manifest on a server."""
    states: dict[str, ContentCredentials] = {}
    with SandboxedDecoder() as decoder:
        for file in sorted((hostile / "content_credentials").iterdir()):
            states[file.name] = decoder.credentials(file.read_bytes())
        assert len(decoder._pool._all) == 1  # none of them ended the process
    found = {name: one.state.value for name, one in states.items()}
    assert found["no_manifest.jpg"] == "none"
    assert found["C.jpg"] == found["CA.jpg"] == found["ocsp.jpg"] == "valid"
    assert found["E-sig-CA.jpg"] == found["XCA.jpg"] == "invalid"
    assert states["cloud.jpg"].failures == ("manifest.inaccessible",)
    firefly = states["ocsp.jpg"]
    assert (firefly.ai_generated, firefly.ingredients[0].relationship) == (Generated.PARTLY, "componentOf")
    assert firefly.signed_at == datetime(2025, 8, 13, 16, 30, 55, tzinfo=UTC)
    # The library calls every timestamp of this first version of claims trusted, and nobody is trusted here.
    assert "timeStamp.trusted" in firefly.successes
    assert firefly.timestamp is Timestamp.UNTRUSTED
