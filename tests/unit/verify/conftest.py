"""Sample photographs as verification sees them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from imgguard.fingerprint import keypoints
from imgguard.fingerprint.fingerprint import ReferencePicture
from imgguard.fingerprint.perceptual import pdq
from imgguard.imaging.image import Pixels
from imgguard.verify.examination import grey_of

SAMPLES = Path(__file__).resolve().parents[3] / "sample_images"


@cache
def picture(name: str) -> Pixels:
    """An original or listing of the samples, uint8 RGB."""
    (path,) = SAMPLES.glob(f"*/{name}.jpg")
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert pixels is not None
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


@cache
def reference(name: str) -> ReferencePicture:
    """A registered original of the samples."""
    pixels = picture(name)
    hashes = pdq(pixels)
    return ReferencePicture(
        content_sha256="0" * 64,
        pixel_digest="0" * 64,
        width=pixels.shape[1],
        height=pixels.shape[0],
        working=pixels,
        keypoints=keypoints.extract(grey_of(pixels, 512), limit=400),
        pdq=hashes.upright,
        pdq_quality=hashes.quality,
    )


@pytest.fixture
def sample() -> Callable[[str], Pixels]:
    return picture


@pytest.fixture
def registered() -> Callable[[str], ReferencePicture]:
    return reference
