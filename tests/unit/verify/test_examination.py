"""A copy is laid back onto its original to within a pixel; a second photograph is not."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from imgguard.bench.edits import EDITS, EditedPicture
from imgguard.fingerprint import keypoints
from imgguard.fingerprint.fingerprint import ReferencePicture
from imgguard.fingerprint.perceptual import pdq
from imgguard.imaging.image import Pixels
from imgguard.verify.examination import QueryPicture, examine_pair, grey_of
from imgguard.verify.geometry import transformed
from imgguard.verify.regions import locate

type Sample = Callable[[str], Pixels]
type Registered = Callable[[str], ReferencePicture]

EXACT = [
    *("identity", "jpeg_20", "resize_60", "aspect_1_4", "grey", "gamma", "blur", "mirror", "flip", "rotate_90"),
    *("rotate_35", "crop_40", "crop_50_mirror_jpeg", "text", "watermark", "frame", "perspective", "paste_25"),
    *("collage_2", "screenshot", "chain_light"),
]


def described(pixels: Pixels) -> ReferencePicture:
    """A reference made of these pixels."""
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


def edited(name: str, pixels: Pixels, sample: Sample) -> EditedPicture:
    return EDITS[name](pixels, np.random.default_rng(11), lambda rng: sample("mug"))


@pytest.mark.parametrize("name", EXACT)
def test_the_map_from_original_to_copy_is_found(name: str, sample: Sample, registered: Registered) -> None:
    original = registered("denim-jacket")
    copy = edited(name, original.working, sample)
    assert copy.matrix is not None
    query = QueryPicture(copy.pixels)
    found = examine_pair(query, original)
    assert found.matrix is not None
    shown = np.asarray(copy.reference_region)
    scale = query.size[0] / copy.pixels.shape[1]
    expected = transformed(copy.matrix, shown) * scale
    error = np.abs(transformed(found.matrix, shown) - expected).max()
    assert error < 0.012 * max(query.size), f"off by {error:.1f} pixels"
    assert found.features["correlation_median"] > 0.8


@pytest.mark.parametrize(
    ("original", "other"),
    [
        ("oat-yoghurt-carton", "other-photo-of-oat-yoghurt-carton"),
        ("smooth-juice-carton", "other-photo-of-smooth-juice-carton"),
        ("orange-juice-carton", "other-photo-of-orange-juice-carton"),
    ],
)
def test_another_photograph_leaves_residuals(original: str, other: str, sample: Sample, registered: Registered) -> None:
    found = examine_pair(QueryPicture(sample(other)), registered(original))
    assert found.features.get("correlation_median", 0.0) < 0.9
    assert found.features.get("flow_median", 9.0) > 0.2 or found.features["agreeing_share"] < 0.5


def test_examining_twice_gives_the_same_numbers(sample: Sample, registered: Registered) -> None:
    original = registered("mug")
    crop = np.ascontiguousarray(original.working[60:300, 80:320])
    first, second = (examine_pair(QueryPicture(crop), original).features for _ in range(2))
    assert first == second


@pytest.mark.parametrize("shape", [(8, 8), (1, 300), (300, 1), (40, 40)])
def test_tiny_and_plain_pictures_are_no_error(shape: tuple[int, int], registered: Registered) -> None:
    plain = np.full((*shape, 3), 200, np.uint8)
    found = examine_pair(QueryPicture(plain), registered("mug"))
    assert found.matrix is None or found.features["correlation_median"] < 0.5


def test_a_region_is_the_part_that_agrees(sample: Sample, registered: Registered) -> None:
    original = registered("denim-jacket")
    height, width = original.working.shape[:2]
    canvas = sample("mug").copy()
    canvas = cv2.resize(canvas, (900, 700))
    part = original.working[: height // 2]
    canvas[100 : 100 + part.shape[0], 200 : 200 + part.shape[1]] = part
    query = QueryPicture(np.asarray(canvas, np.uint8))
    found = examine_pair(query, original)
    assert found.matrix is not None
    assert found.pair is not None
    assert found.found is not None
    regions = locate(found.matrix, found.pair, found.found, query=query.size, reference=(width, height))
    scale = query.size[0] / 900
    box = np.array([regions.query.min(axis=0), regions.query.max(axis=0)]) / scale
    expected = [[200, 100], [200 + width, 100 + height // 2]]
    assert np.abs(box - expected).max() < 0.05 * height


def test_the_scene_of_a_pan_goes_on_and_that_of_a_paste_does_not(sample: Sample) -> None:
    whole = sample("plaid-shirt")
    height, width = whole.shape[:2]
    part = described(np.ascontiguousarray(whole[:, : int(width * 0.75)]))
    panned = examine_pair(QueryPicture(np.ascontiguousarray(whole[:, int(width * 0.25) :])), part)
    assert panned.features["continuation"] > 0.3
    canvas = np.asarray(cv2.resize(sample("tie-dye-hoodie"), (width * 2, height * 2)), np.uint8).copy()
    canvas[100 : 100 + height, 150 : 150 + part.width] = part.working
    pasted = examine_pair(QueryPicture(canvas), part)
    assert pasted.features["correlation_median"] > 0.9
    assert pasted.features["continuation"] < 0.3
