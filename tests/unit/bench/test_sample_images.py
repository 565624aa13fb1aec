"""The committed sample images are complete, small, credited, and say what a check should answer."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np

from imgguard.bench.edits.picture import area, decoded

SAMPLES = Path(__file__).resolve().parents[3] / "sample_images"
EXPECTED = json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))


def test_every_listing_has_an_answer() -> None:
    assert set(EXPECTED) == {file.name for file in (SAMPLES / "listings").iterdir()}
    assert Counter(truth["verdict"] for truth in EXPECTED.values()) == {"copy": 21, "same_product": 7, "no_match": 5}
    originals = {file.name for file in (SAMPLES / "originals").iterdir()}
    assert 24 <= len(originals) <= 40
    assert {truth["original"] for truth in EXPECTED.values() if truth["original"]} <= originals


def test_outlines_lie_inside_their_listings() -> None:
    outlined = {name: np.array(truth["query_region"]) for name, truth in EXPECTED.items() if "query_region" in truth}
    assert len(outlined) >= 20
    for name, region in outlined.items():
        height, width = decoded((SAMPLES / "listings" / name).read_bytes()).shape[:2]
        assert area(region) > 0.02 * width * height
        assert region.min() >= 0
        assert (region <= (width, height)).all()


def test_every_file_is_credited_under_a_licence_that_is_included() -> None:
    with (SAMPLES / "CREDITS.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    files = {
        str(file.relative_to(SAMPLES)) for folder in ("originals", "listings") for file in (SAMPLES / folder).iterdir()
    }
    assert set(rows) == files
    texts = [file.name for file in (SAMPLES / "licences").iterdir()]
    assert all(any(row["licence"] in text for text in texts) for row in rows.values())


def test_the_samples_stay_small() -> None:
    assert sum(file.stat().st_size for file in SAMPLES.rglob("*") if file.is_file()) < 6_000_000
