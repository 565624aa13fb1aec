"""Makes sample_images/: originals, and listings whose story is known, for the demo and the tests.

    .venv/bin/python scripts/make_sample_images.py [TARGET]

Reads the development images (IMGGUARD_DATA, or ../shared/data beside the checkout), of which only ``samples/`` may be
copied into the repository. Seeded by the listing's name, so that a second run writes the same pictures.
"""

import csv
import hashlib
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imgguard.bench.dataset import data_root
from imgguard.bench.edits import EDITS, EditedPicture, Pixels, encode
from imgguard.bench.edits.picture import decoded

ORIGINALS = {
    # name here: how the file in samples/ starts
    "bamboo-glass-jar": "bamboo-glass-jar",
    "beige-slip-ons": "8a4f3de1",
    "black-sandals": "bcc238bc",
    "blue-dress": "716a287d",
    "blue-skirt": "f8b84112",
    "blue-t-shirt": "ffa2be27",
    "brown-lace-ups": "bf5d5e96",
    "candle-holder": "candle-holder",
    "denim-jacket": "8ab0ea35",
    "denim-shorts": "3a2d0b05",
    "flower-dress": "354f2a8e",
    "fork": "fork_a",
    "hairdryer": "hairdryer",
    "knitted-hat": "70b7155d",
    "leather-cap": "5ee53ada",
    "loafers": "loafers",
    "mug": "mug",
    "oat-yoghurt-carton": "carton_Oatly-Natural-Oatghurt_test_Oatly-Natural-Oatghurt_001",
    "orange-juice-carton": "carton_God-Morgon-Orange-Juice_test_God-Morgon-Orange-Juice_001",
    "pinstripe-cap": "79307c6e",
    "pink-blazer": "01a54355",
    "pink-hoodie": "71e8c881",
    "pink-t-shirt": "10053308",
    "pink-toddler-shoes": "02543402",
    "plaid-shirt": "b951618d",
    "platform-shoe": "6a8b3e3a",
    "pleated-skirt": "00fc9948",
    "red-crown-cap": "a9c5f50d",
    "scissors": "scissors_a",
    "smooth-juice-carton": "carton_Tropicana-Juice-Smooth_test_Tropicana-Juice-Smooth_001",
    "striped-fleece": "70f0e21f",
    "tank-top": "tank-top",
    "tie-dye-hoodie": "93b4efc3",
    "turquoise-polo": "ac99b83d",
    "vanilla-yoghurt-carton": "carton_Valio-Vanilla-Yoghurt_test_Valio-Vanilla-Yoghurt_004",
    "white-top": "019a8ba6",
    "yellow-polo": "6e2d32e4",
}
COPIES = {
    # listing: (original, named edit; "" leaves the bytes alone)
    "copy-unchanged-bamboo-glass-jar": ("bamboo-glass-jar", ""),
    "copy-compressed-again-leather-cap": ("leather-cap", "jpeg_20"),
    "copy-cropped-denim-jacket": ("denim-jacket", "crop_40"),
    "copy-mirrored-mug": ("mug", "mirror"),
    "copy-rotated-hairdryer": ("hairdryer", "rotate_35"),
    "copy-small-pink-blazer": ("pink-blazer", "resize_30"),
    "copy-stretched-yellow-polo": ("yellow-polo", "aspect_1_4"),
    "copy-grey-denim-shorts": ("denim-shorts", "grey"),
    "copy-recoloured-turquoise-polo": ("turquoise-polo", "hue_shift"),
    "copy-blurred-platform-shoe": ("platform-shoe", "blur"),
    "copy-with-text-pink-hoodie": ("pink-hoodie", "text"),
    "copy-with-watermark-plaid-shirt": ("plaid-shirt", "watermark"),
    "copy-with-frame-flower-dress": ("flower-dress", "frame"),
    "copy-with-badges-loafers": ("loafers", "badges"),
    "copy-with-stickers-red-crown-cap": ("red-crown-cap", "sticker"),
    "copy-in-collage-knitted-hat": ("knitted-hat", "collage_4"),
    "copy-in-screenshot-striped-fleece": ("striped-fleece", "screenshot"),
    "copy-pasted-small-blue-skirt": ("blue-skirt", "paste_25"),
    "copy-new-background-pink-t-shirt": ("pink-t-shirt", "background_replaced"),
    "copy-photographed-from-screen-tie-dye-hoodie": ("tie-dye-hoodie", "recapture"),
    "copy-many-edits-pink-toddler-shoes": ("pink-toddler-shoes", "chain"),
}
OTHER_PHOTOGRAPHS = {
    # listing: (original of the same item, the other photograph)
    "other-photo-of-same-cap": ("pinstripe-cap", "5e944547"),
    "other-photo-of-same-fork": ("fork", "fork_b"),
    "other-photo-of-same-scissors": ("scissors", "scissors_b"),
    "other-photo-of-oat-yoghurt-carton": (
        "oat-yoghurt-carton",
        "carton_Oatly-Natural-Oatghurt_test_Oatly-Natural-Oatghurt_003",
    ),
    "other-photo-of-orange-juice-carton": (
        "orange-juice-carton",
        "carton_God-Morgon-Orange-Juice_test_God-Morgon-Orange-Juice_002",
    ),
    "other-photo-of-smooth-juice-carton": (
        "smooth-juice-carton",
        "carton_Tropicana-Juice-Smooth_test_Tropicana-Juice-Smooth_002",
    ),
    "other-photo-of-vanilla-yoghurt-carton": (
        "vanilla-yoghurt-carton",
        "carton_Valio-Vanilla-Yoghurt_test_Valio-Vanilla-Yoghurt_005",
    ),
}
UNRELATED = {
    "unrelated-blue-cap-on-the-same-cloth": "66ce58c5",
    "unrelated-sandals": "2174d585",
    "unrelated-sunglasses": "sunglasses",
    "unrelated-tartan-skirt": "c938f1ac",
    "unrelated-watch": "watch",
}
LICENCES = ("clothing-CC0-1.0.txt", "grocery-MIT.txt", "same_object-MIT.txt", "samples-Apache-2.0.txt")
SCENERY = ("bd289469", "bd37c451", "bf95b638", "c938f1ac", "2174d585")
"""Unregistered pictures (all CC0) that stand behind and beside copies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The folder of sample pictures and its credits."""

    folder: Path
    credits: dict[str, dict[str, str]]

    def named(self, start: str) -> Path:
        """The one file whose name begins with ``start``."""
        (found,) = [name for name in self.credits if name.startswith(start)]
        return self.folder / found


def load_samples() -> Samples:
    """Raises ConfigurationError where the development images are absent."""
    folder = data_root() / "samples"
    with (folder / "CREDITS.csv").open(encoding="utf-8", newline="") as file:
        return Samples(folder=folder, credits={row["file"]: row for row in csv.DictReader(file)})


def edited(samples: Samples, listing: str, original: str, edit: str) -> EditedPicture:
    """The original through the named edit, drawn with a generator that belongs to the listing's name."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(listing.encode()).digest()[:8], "big"))

    order = iter(rng.permutation(SCENERY).tolist() * 3)

    def donors(_generator: np.random.Generator) -> Pixels:
        # In turn, so that a collage does not show one picture twice.
        return decoded(samples.named(str(next(order))).read_bytes())

    return EDITS[edit](decoded(samples.named(ORIGINALS[original]).read_bytes()), rng, donors)


def write_originals(samples: Samples, folder: Path) -> None:
    """Unchanged bytes under plain names."""
    folder.mkdir(parents=True)
    for name, start in ORIGINALS.items():
        shutil.copyfile(samples.named(start), folder / f"{name}.jpg")


def write_listings(samples: Samples, folder: Path) -> dict[str, dict[str, object]]:
    """Copies, other photographs, unrelated products; returns what a check should say of each."""
    folder.mkdir(parents=True)
    expected: dict[str, dict[str, object]] = {}
    for listing, (original, edit) in COPIES.items():
        truth: dict[str, object] = {"verdict": "copy", "original": f"{original}.jpg", "edit": edit or None}
        if edit:
            result = edited(samples, listing, original, edit)
            (folder / f"{listing}.jpg").write_bytes(encode(result))
            truth["query_region"] = np.round(result.region, 1).tolist()
        else:
            shutil.copyfile(samples.named(ORIGINALS[original]), folder / f"{listing}.jpg")
        expected[f"{listing}.jpg"] = truth
    for listing, (original, start) in OTHER_PHOTOGRAPHS.items():
        shutil.copyfile(samples.named(start), folder / f"{listing}.jpg")
        expected[f"{listing}.jpg"] = {"verdict": "same_product", "original": f"{original}.jpg"}
    for listing, start in UNRELATED.items():
        shutil.copyfile(samples.named(start), folder / f"{listing}.jpg")
        expected[f"{listing}.jpg"] = {"verdict": "no_match", "original": None}
    return expected


def write_credits(samples: Samples, target: Path) -> None:
    """One row a file: where it comes from, under which licence, and what was done to it."""
    rows = [(f"originals/{name}.jpg", start, "unchanged") for name, start in ORIGINALS.items()]
    for listing, (original, edit) in COPIES.items():
        rows.append((f"listings/{listing}.jpg", ORIGINALS[original], f"edited: {edit}" if edit else "unchanged"))
    rows += [(f"listings/{listing}.jpg", start, "unchanged") for listing, (_, start) in OTHER_PHOTOGRAPHS.items()]
    rows += [(f"listings/{listing}.jpg", start, "unchanged") for listing, start in UNRELATED.items()]
    with (target / "CREDITS.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "source_file", "source", "licence", "changes"))
        for name, start, changes in sorted(rows):
            credit = samples.credits[samples.named(start).name]
            writer.writerow((name, credit["file"], credit["source"], credit["licence"], changes))


def main(target: Path) -> None:
    """Writes everything anew below ``target``; its README.md is kept."""
    samples = load_samples()
    for folder in ("originals", "listings", "licences"):
        shutil.rmtree(target / folder, ignore_errors=True)
    write_originals(samples, target / "originals")
    expected = write_listings(samples, target / "listings")
    lines = [f"  {json.dumps(name)}: {json.dumps(truth)}" for name, truth in sorted(expected.items())]
    (target / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    write_credits(samples, target)
    (target / "licences").mkdir()
    for text in LICENCES:
        shutil.copyfile(data_root() / "licences" / text, target / "licences" / text)
    total = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    print(f"{len(ORIGINALS)} originals, {len(expected)} listings, {total / 1e6:.1f} MB in {target}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "sample_images")
