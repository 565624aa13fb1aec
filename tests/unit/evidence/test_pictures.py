"""The evidence pictures: what they show sits where the geometry says."""

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from imgguard.errors import ConfigurationError
from imgguard.evidence import tones
from imgguard.evidence.canvas import OUTLINE, SHEET_WIDTH, Panel, layout, outlined, polygon_mask
from imgguard.evidence.files import write_evidence
from imgguard.evidence.pictures import (
    agreement,
    aligned,
    checkerboard,
    difference,
    draw_evidence,
    flip_pair,
    keypoints,
    side_by_side,
    spread,
)
from imgguard.evidence.scene import Material, framing_on, overlay_of, panel_sizes, through
from imgguard.imaging.image import Pixels

NAMES = ["side_by_side", "aligned", "checkerboard", "difference", "agreement", "keypoints"]
SAMPLES = Path(os.environ.get("IMGGUARD_DATA", "../shared/data")) / "samples"


def scene_picture(width: int, height: int, *, seed: int = 5) -> Pixels:
    """Blotches and shapes: structure everywhere, the same on every machine."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 236, (height // 20 + 1, width // 20 + 1, 3), dtype=np.uint8)
    picture = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    for _ in range(12):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        cv2.circle(picture, (x, y), int(rng.integers(6, 24)), tuple(int(v) for v in rng.integers(0, 256, 3)), -1)
    return picture


def cropped(*, left: int = 60, top: int = 40, width: int = 200, height: int = 160, mirror: bool = False) -> Material:
    """A listing cut from a 400x300 reference, with everything that was measured on it."""
    reference = scene_picture(400, 300)
    query = reference[top : top + height, left : left + width]
    matrix = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]])
    if mirror:
        query = np.ascontiguousarray(query[:, ::-1])
        matrix = np.array([[-1.0, 0.0, width], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]) @ matrix
    region = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    points = np.random.default_rng(2).uniform(5, min(width, height) - 5, (90, 2))
    return Material(
        query=query,
        reference=reference,
        matrix=matrix,
        query_region=region,
        reference_region=through(np.linalg.inv(matrix), region),
        query_points=points,
        reference_points=through(np.linalg.inv(matrix), points),
        agreement=np.ones((height // 2, width // 2), dtype=np.float32),
    )


def pasted() -> Material:
    """A 120x90 reference at a third of its size inside a 300x200 listing."""
    reference = scene_picture(120, 90, seed=8)
    query = scene_picture(300, 200, seed=9)
    query[100:130, 200:240] = cv2.resize(reference, (40, 30), interpolation=cv2.INTER_AREA)
    matrix = np.array([[1 / 3, 0.0, 200.0], [0.0, 1 / 3, 100.0], [0.0, 0.0, 1.0]])
    frame = np.array([[0.0, 0.0], [120.0, 0.0], [120.0, 90.0], [0.0, 90.0]])
    return Material(
        query=query,
        reference=reference,
        matrix=matrix,
        query_region=through(matrix, frame),
        reference_region=frame,
    )


def near(picture: Pixels, colour: tuple[int, int, int], *, x: float, y: float, radius: int = 3) -> bool:
    """Does ``colour`` appear within ``radius`` pixels of (x, y)?"""
    left, top = max(round(x) - radius, 0), max(round(y) - radius, 0)
    window = picture[top : top + 2 * radius + 1, left : left + 2 * radius + 1].astype(int)
    return bool((np.abs(window - colour).sum(axis=2) < 30).any())


def test_all_pictures_are_drawn_in_reading_order() -> None:
    drawn = draw_evidence(cropped())
    assert list(drawn) == NAMES
    for picture in drawn.values():
        assert picture.dtype == np.uint8
        assert picture.ndim == 3
        assert picture.shape[2] == 3
        assert 800 <= picture.shape[1] <= SHEET_WIDTH + 10


def test_pictures_without_their_material_are_left_out() -> None:
    material = cropped()
    assert list(draw_evidence(Material(query=material.query, reference=material.reference))) == ["side_by_side"]
    assert list(draw_evidence(pasted())) == ["side_by_side", "aligned", "checkerboard", "difference"]
    assert keypoints(replace(material, query_points=np.empty((0, 2)))) is None
    assert flip_pair(Material(query=material.query, reference=material.reference)) is None


def test_the_same_material_gives_the_same_pictures() -> None:
    first, second = draw_evidence(cropped(mirror=True)), draw_evidence(cropped(mirror=True))
    assert all(np.array_equal(first[name], second[name]) for name in NAMES)


@pytest.mark.parametrize("background", [0, 128, 255])
def test_an_outline_shows_on_any_background_and_sits_on_the_polygon(background: int) -> None:
    picture = np.full((200, 300, 3), background, dtype=np.uint8)
    drawn = outlined(picture, np.array([[50.0, 40.0], [250.0, 60.0], [240.0, 160.0], [60.0, 150.0]]))
    assert near(drawn, OUTLINE, x=150, y=50, radius=1)
    assert near(drawn, OUTLINE, x=55, y=95, radius=1)
    assert (drawn[100, 150] == background).all()
    assert (picture == background).all(), "the input must not be drawn on"


def test_side_by_side_outlines_the_region_in_both_pictures_and_fades_the_rest() -> None:
    material = cropped()
    drawn = side_by_side(material)
    (first, second), origin = panel_sizes(material), _origins(material)
    scale = second[0] / 400
    left, top, right = origin[1][0] + 60 * scale, origin[1][1] + 40 * scale, origin[1][0] + 260 * scale
    assert near(drawn, OUTLINE, x=(left + right) / 2, y=top)
    assert near(drawn, OUTLINE, x=right, y=top + 80 * scale)
    assert near(drawn, OUTLINE, x=origin[0][0] + first[0] / 2, y=origin[0][1] + 4)
    corner = drawn[origin[1][1] + 8, origin[1][0] + 8].astype(int)
    assert np.abs(corner - material.reference[2, 2]).sum() > 20


def _origins(material: Material) -> tuple[tuple[int, int], ...]:
    panels = [
        Panel(title=title, picture=np.zeros((size[1], size[0], 3), dtype=np.uint8))
        for title, size in zip(("Listing image", "Registered original"), panel_sizes(material), strict=True)
    ]
    return layout(panels).origins


@pytest.mark.parametrize("mirror", [False, True])
def test_the_original_laid_onto_a_copy_agrees_with_it(mirror: bool) -> None:
    pair = flip_pair(cropped(mirror=mirror))
    assert pair is not None
    query, warped = pair
    assert query.shape == warped.shape
    assert np.abs(query.astype(int) - warped)[6:-6, 6:-6].mean() < 1.5


def test_a_small_region_is_enlarged_and_the_scale_stays_in_the_geometry() -> None:
    material = pasted()
    framing = framing_on(material.query, region=np.asarray(material.query_region))
    assert framing.enlarged_part
    assert framing.width / framing.height == pytest.approx(40 * 1.24 / (30 + 9.6), rel=0.02)
    corner = through(framing.to_display, np.array([[200.0, 100.0]]))[0]
    picture = aligned(material)
    assert picture is not None
    overlay = overlay_of(material)
    assert overlay is not None
    assert overlay.region[0] == pytest.approx(corner)
    assert overlay.compared[int(corner[1]) + 5, int(corner[0]) + 5]
    assert not overlay.compared[int(corner[1]) - 5, int(corner[0]) - 5]


def test_difference_finds_the_sticker_and_nothing_else_after_recolouring() -> None:
    material = cropped(left=0, top=0, width=400, height=300)
    query = np.clip(material.query * np.array([1.1, 0.9, 0.7]) * 0.8 + 20, 0, 255).astype(np.uint8)
    query[100:140, 150:220] = (255, 0, 0)
    overlay = overlay_of(replace(material, query=query))
    assert overlay is not None
    values = tones.difference(overlay.query, warped=overlay.warped, where=overlay.compared, upscale=overlay.upscale)
    scale = overlay.framing.to_display[0, 0]
    sticker = polygon_mask(
        np.array([[150, 100], [220, 100], [220, 140], [150, 140]]) * scale,
        width=overlay.framing.width,
        height=overlay.framing.height,
    )
    assert np.median(values[sticker]) > 0.7
    away = ~cv2.dilate(sticker.astype(np.uint8), np.ones((25, 25), dtype=np.uint8)).astype(bool)
    assert np.percentile(values[away], 95) < 0.05
    assert difference(replace(material, query=query)) is not None


def test_agreement_colours_run_from_blue_to_yellow_and_leave_the_unmeasured_grey() -> None:
    material = cropped(left=0, top=0, width=400, height=300)
    values = np.ones((300, 400), dtype=np.float32)
    values[:, 200:] = -0.2
    values[150:] = np.nan
    picture = agreement(replace(material, agreement=values))
    assert picture is not None
    origin = layout_of_two(material)[1]
    overlay = overlay_of(material)
    assert overlay is not None
    step = overlay.framing.to_display[0, 0]

    def colour(x: float, y: float) -> np.ndarray:
        return picture[round(origin[1] + y * step), round(origin[0] + x * step)].astype(int)

    same, other, unknown = colour(100, 75), colour(300, 75), colour(200, 225)
    assert same[2] > same[0]
    assert other[0] > other[2] + 60
    assert np.ptp(unknown) <= 2


def layout_of_two(material: Material) -> tuple[tuple[int, int], ...]:
    """Origins of the two panels on a sheet of one view."""
    overlay = overlay_of(material)
    assert overlay is not None
    panels = [Panel(title=title, picture=overlay.query) for title in ("Listing image", "Where fine detail agrees")]
    return layout(panels).origins


def test_checkerboard_shows_both_pictures() -> None:
    material = cropped(left=0, top=0, width=400, height=300)
    dark, bright = np.full_like(material.query, 40), np.full_like(material.reference, 210)
    picture = checkerboard(replace(material, query=dark, reference=bright))
    assert picture is not None
    right = picture[:, picture.shape[1] // 2 :]
    assert 0.2 < (np.abs(right.astype(int) - 210).sum(axis=2) < 9).mean() < 0.7
    assert 0.2 < (np.abs(right.astype(int) - 40).sum(axis=2) < 9).mean() < 0.7


def test_chosen_keypoints_are_few_and_spread() -> None:
    rng = np.random.default_rng(0)
    crowd = np.vstack([rng.normal(50, 1, (500, 2)), [[0.0, 0.0], [100.0, 0.0], [100.0, 100.0], [0.0, 100.0]]])
    chosen = spread(crowd, count=10)
    assert len(set(chosen.tolist())) == 10
    assert {500, 501, 502, 503} <= set(chosen.tolist())
    assert spread(crowd[:4], count=10).shape == (4,)


@pytest.mark.parametrize(
    "matrix",
    [
        np.zeros((3, 3)),
        np.full((3, 3), np.nan),
        np.diag([1e-6, 1e-6, 1.0]),
        np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.02, 0.01, -2.0]]),  # the horizon runs through the picture
        np.array([[1.0, 0.0, 9e5], [0.0, 1.0, 9e5], [0.0, 0.0, 1.0]]),
    ],
)
def test_odd_geometry_is_drawn_or_left_out_without_an_error(matrix: np.ndarray) -> None:
    assert "side_by_side" in draw_evidence(replace(cropped(), matrix=matrix))


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3), (180, 240)])
def test_odd_sizes_are_drawn(size: tuple[int, int]) -> None:
    query = np.full((size[1], size[0], 3), 90, dtype=np.uint8)
    frame = np.array([[0.0, 0.0], [size[0], 0.0], [size[0], size[1]], [0.0, size[1]]])
    material = Material(
        query=query, reference=scene_picture(64, 48), matrix=np.eye(3), query_region=frame, reference_region=frame
    )
    for picture in draw_evidence(material).values():
        assert picture.shape[1] <= SHEET_WIDTH + 10


def test_files_are_whole_stable_and_stay_in_their_folder(tmp_path: Path) -> None:
    pictures = {"side_by_side": scene_picture(50, 40)}
    folder = tmp_path / "evidence"
    first = write_evidence(pictures, folder=folder, stem="../../fnd 1")
    data = first["side_by_side"].read_bytes()
    assert first["side_by_side"].parent == folder
    assert [path.name for path in folder.iterdir()] == ["_.._fnd_1-side_by_side.png"]
    assert write_evidence(pictures, folder=folder, stem="../../fnd 1") == first
    assert first["side_by_side"].read_bytes() == data
    with Image.open(first["side_by_side"]) as image:
        assert np.array_equal(np.asarray(image), pictures["side_by_side"])


def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("here")
    with pytest.raises(ConfigurationError):
        write_evidence({"aligned": scene_picture(20, 20)}, folder=blocked / "below", stem="x")


@pytest.mark.data
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="needs the development images")
def test_real_photographs_agree_with_their_crops() -> None:
    with Image.open(SAMPLES / "loafers.jpg") as image:
        image.thumbnail((700, 700))
        reference = np.asarray(image.convert("RGB"))
    height, width = reference.shape[:2]
    left, top, scale = width // 5, height // 4, 0.6
    part = reference[top : top + height // 2, left : left + width // 2]
    size = (round(part.shape[1] * scale), round(part.shape[0] * scale))
    query = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    steps = np.array([size[0] / part.shape[1], size[1] / part.shape[0]])
    matrix = np.array([[steps[0], 0, -left * steps[0]], [0, steps[1], -top * steps[1]], [0, 0, 1.0]])
    frame = np.array([[0.0, 0.0], [size[0], 0.0], [size[0], size[1]], [0.0, size[1]]])
    overlay = overlay_of(Material(query=query, reference=reference, matrix=matrix, query_region=frame))
    assert overlay is not None
    values = tones.difference(overlay.query, warped=overlay.warped, where=overlay.compared, upscale=overlay.upscale)
    assert float(values[overlay.compared].mean()) < 0.03
