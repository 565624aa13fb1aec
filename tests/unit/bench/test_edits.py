"""The truth of an edit is checked against its pixels: the reference, moved by the matrix, agrees with the copy."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from imgguard.bench.edits import EDITS, EditedPicture, EditNotApplicable, Pixels, centred, encode, random_edit
from imgguard.bench.edits.picture import Edit, area, clipped, decoded, frame, through, untouched
from imgguard.bench.edits.shape import crop, mirror, rotate

ORIGINALS = Path(__file__).resolve().parents[3] / "sample_images" / "originals"
LISTED = """
    identity jpeg_20 jpeg_50 resize_30 resize_60 aspect_1_4 brightness_contrast gamma grey hue_shift saturation blur
    sharpen_noise mirror rotate_90 rotate_180 rotate_8 rotate_35 crop_70 crop_40 crop_20 crop_50_mirror_jpeg text
    watermark banner badges frame sticker screenshot paste_50 paste_25 paste_10 collage_4 collage_2 perspective
    recapture background_replaced chain chain_light two_chain_random
"""
MIRRORED = ("mirror", "flip", "crop_50_mirror_jpeg", "chain")
LOOSE = (
    *("text", "badges", "sticker", "watermark", "hue_shift", "saturation", "recapture"),
    *("chain", "chain_light", "two_chain_random"),
)
"""Edits that cover or recolour so much that correlation inside the region is allowed to be low."""


@cache
def photograph(name: str = "denim-jacket") -> Pixels:
    return decoded((ORIGINALS / f"{name}.jpg").read_bytes())


def donors(rng: np.random.Generator) -> Pixels:
    return photograph(("mug", "loafers", "blue-dress")[int(rng.integers(3))])


def edited(name: str, picture: Pixels | None = None, *, seed: int = 7) -> EditedPicture:
    return EDITS[name](photograph() if picture is None else picture, np.random.default_rng(seed), donors)


def agreement(reference: Pixels, copy: EditedPicture) -> float:
    """Correlation of grey values inside the region, after the reference is moved by the true matrix."""
    assert copy.matrix is not None
    moved = cv2.warpPerspective(reference, centred(copy.matrix), (copy.width, copy.height))
    inside = np.zeros((copy.height, copy.width), np.uint8)
    cv2.fillPoly(inside, [np.rint(copy.region).astype(np.int32)], 1)
    inside = cv2.erode(inside, np.ones((7, 7), np.uint8)) > 0
    first, second = (cv2.GaussianBlur(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), (0, 0), 1.5) for x in (moved, copy.pixels))
    return float(np.corrcoef(first[inside].astype(float), second[inside].astype(float))[0, 1])


def test_the_edits_of_the_benchmark_are_there() -> None:
    assert set(EDITS) >= set(LISTED.split())
    assert all(name == edit.name for name, edit in EDITS.items())


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_decided_by_its_seed(name: str) -> None:
    before = photograph().copy()
    first, again = edited(name), edited(name)
    assert encode(first) == encode(again)
    np.testing.assert_array_equal(first.region, again.region)
    np.testing.assert_array_equal(photograph(), before)


@pytest.mark.parametrize("name", EDITS)
def test_the_truth_lies_inside_both_pictures(name: str) -> None:
    copy = edited(name)
    height, width = photograph().shape[:2]
    for polygon, sides in ((copy.region, (copy.width, copy.height)), (copy.reference_region, (width, height))):
        assert polygon.min() >= -1e-6
        assert (polygon <= np.array(sides) + 1e-6).all()
        assert area(polygon) > 100
    if copy.matrix is not None:
        np.testing.assert_allclose(through(copy.matrix, copy.reference_region), copy.region, atol=1e-6)
    assert copy.pixels.dtype == np.uint8
    assert copy.pixels.flags.c_contiguous


@pytest.mark.parametrize("name", sorted(set(EDITS) - {"lens"}))
@pytest.mark.parametrize("original", ["denim-jacket", "plaid-shirt"])
def test_the_moved_reference_agrees_with_the_copy(name: str, original: str) -> None:
    try:
        copy = edited(name, photograph(original))
    except EditNotApplicable:
        pytest.skip("the edit does not apply to this picture")
    assert agreement(photograph(original), copy) > (0.3 if name in LOOSE else 0.85)


@pytest.mark.parametrize("name", EDITS)
def test_only_mirrored_edits_have_a_negative_determinant(name: str) -> None:
    copy = edited(name)
    if copy.matrix is not None and name != "two_chain_random":
        assert (np.linalg.det(copy.matrix[:2, :2]) < 0) == (name in MIRRORED)


@pytest.mark.parametrize(("name", "share"), [("crop_70", 0.7), ("crop_40", 0.4), ("crop_20", 0.2)])
def test_crops_keep_the_share_they_are_named_after(name: str, share: float) -> None:
    height, width = photograph().shape[:2]
    assert area(edited(name).reference_region) / (width * height) == pytest.approx(share, rel=0.02)


@pytest.mark.parametrize(("name", "share"), [("paste_25", 0.25), ("paste_10", 0.10)])
def test_pastes_cover_the_share_they_are_named_after(name: str, share: float) -> None:
    copy = edited(name)
    assert area(copy.region) / (copy.width * copy.height) == pytest.approx(share, rel=0.03)


def test_chains_multiply_their_matrices() -> None:
    steps = (crop((0.5, 0.5)), mirror, rotate((8, 8), gaps="fill"))
    picture, rng = photograph(), np.random.default_rng(3)
    parts, current = [], picture
    for step in steps:
        part = step(untouched(current), rng, donors)
        parts.append(part.matrix)
        current = part.pixels
    whole = Edit(name="chain", steps=steps)(picture, np.random.default_rng(3), donors)
    product = parts[2] @ parts[1] @ parts[0]
    np.testing.assert_allclose(whole.matrix, product / product[2, 2], atol=1e-9)
    np.testing.assert_array_equal(whole.pixels, current)


def test_a_distortion_without_homography_has_no_matrix() -> None:
    copy = edited("lens")
    assert copy.matrix is None
    np.testing.assert_array_equal(copy.region, frame(copy.width, copy.height))


def test_a_replaced_background_outlines_the_product_only() -> None:
    picture = np.full((300, 240, 3), 235, np.uint8)
    picture[60:240, 60:180] = np.random.default_rng(0).integers(0, 120, (180, 120, 3), dtype=np.uint8)
    copy = edited("background_replaced", picture)
    assert area(copy.reference_region) == pytest.approx(180 * 120, rel=0.1)
    assert copy.parameters["kept_share"] == pytest.approx(0.3, abs=0.03)


def test_a_picture_without_a_product_has_no_background_to_replace() -> None:
    with pytest.raises(EditNotApplicable):
        edited("background_replaced", np.full((300, 240, 3), 235, np.uint8))


def test_strengths_of_random_edits_form_a_continuum() -> None:
    rng = np.random.default_rng(0)
    names, crops = set(), set()
    small = cv2.resize(photograph(), (120, 160), interpolation=cv2.INTER_AREA)
    for _ in range(150):
        edit = random_edit(rng)
        names.add(edit.name)
        try:
            copy = edit(small, rng, donors)
        except EditNotApplicable:
            continue
        if edit.name == "random:crop":
            crops.add(copy.parameters["crop"])
    assert len(names) > 20
    assert len(crops) > 3


@pytest.mark.parametrize("size", [(40, 31), (1000, 1300)])
def test_edits_take_small_and_large_pictures(size: tuple[int, int]) -> None:
    picture = cv2.resize(photograph(), size, interpolation=cv2.INTER_AREA)
    for name in ("text", "banner", "frame", "badges", "screenshot", "collage_4", "paste_10", "recapture", "rotate_35"):
        assert area(edited(name, picture).region) > 16


def test_clipping_keeps_a_polygon_that_is_not_convex() -> None:
    shape = np.array([[-5.0, 0.0], [10.0, 0.0], [10.0, 10.0], [5.0, 2.0], [0.0, 10.0]])
    cut = clipped(shape, left=0, top=0, right=10, bottom=8)
    assert cut.min() >= 0
    assert cut[:, 1].max() <= 8
    assert area(cut) < area(frame(10, 8))


def test_encoding_uses_the_quality_of_the_edit() -> None:
    assert edited("jpeg_20").quality == 20
    assert len(encode(edited("jpeg_20"))) < len(encode(edited("identity")))
    assert len(encode(edited("identity"), 30)) < len(encode(edited("identity")))
