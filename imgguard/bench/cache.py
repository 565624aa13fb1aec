"""Keeps a built World on disk, so that a second run need not describe the references again.

One folder a World, named by a digest of everything it depends on: the pictures' bytes, the weights, the libraries and
the code that decodes and describes. A change of any makes another folder. Plain files: JSON and bytes.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import imgguard
from imgguard.bench.dataset import Item
from imgguard.bench.runner import Registered, World, build_world, world_of
from imgguard.fingerprint.embedding import REFERENCE_SIDE
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind
from imgguard.fingerprint.keypoints import KEYPOINTS_VERSION
from imgguard.fingerprint.perceptual import PDQ_VERSION, PHASH_VERSION
from imgguard.fingerprint.weights import packaged_weights

_CODE = ("imaging", "fingerprint")
_KEPT = 3  # Worlds on disk, 100 kB a reference; older ones go


def world_for(items: Sequence[Item], *, folder: Path, workers: int) -> World:
    """The World of ``items`` from ``folder``, or built and kept there."""
    target = folder / key_of(items)
    if (target / "references.json").is_file():
        (target / "references.json").touch()
        return _load(target, items)
    world = build_world(items, workers=workers)
    _save(world, target)
    worlds = sorted(folder.glob("*/references.json"), key=lambda path: path.stat().st_mtime)
    for old in worlds[:-_KEPT]:
        shutil.rmtree(old.parent)
    return world


def key_of(items: Sequence[Item]) -> str:
    """Digest of everything that the description of ``items`` depends on."""
    digest = hashlib.sha256()
    parts = (KEYPOINTS_VERSION, PDQ_VERSION, PHASH_VERSION, str(REFERENCE_SIDE), packaged_weights("sscd").sha256)
    digest.update("|".join(parts).encode())
    package = Path(imgguard.__file__).parent
    for name in _CODE:
        for source in sorted((package / name).glob("*.py")):
            digest.update(f"|{name}/{source.name}|".encode() + source.read_bytes())
    for item in items:
        digest.update(f"|{item.name}|".encode() + hashlib.sha256(item.path.read_bytes()).digest())
    return digest.hexdigest()[:24]


def _save(world: World, target: Path) -> None:
    """The description is written last: a folder without it is not a World."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    described: list[dict[str, Any]] = []
    with (target / "descriptors.bin").open("wb") as file:
        for found in world.references:
            parts = []
            for descriptor in found.descriptors:
                fields = asdict(descriptor)
                data = fields.pop("data")
                parts.append({**fields, "start": file.tell(), "length": len(data)})
                file.write(data)
            described.append(
                {
                    "name": found.item.name,
                    "sha256": found.sha256,
                    "pixel_digest": found.pixel_digest,
                    "width": found.width,
                    "height": found.height,
                    "descriptors": parts,
                }
            )
    part = target / "references.part"
    part.write_text(json.dumps(described), encoding="utf-8")
    part.rename(target / "references.json")


def _load(target: Path, items: Sequence[Item]) -> World:
    data = (target / "descriptors.bin").read_bytes()
    described = json.loads((target / "references.json").read_text(encoding="utf-8"))
    references = []
    for item, found in zip(items, described, strict=True):
        descriptors = tuple(
            Descriptor(
                kind=DescriptorKind(part["kind"]),
                algorithm=part["algorithm"],
                version=part["version"],
                weights_sha256=part["weights_sha256"],
                data=data[part["start"] : part["start"] + part["length"]],
            )
            for part in found["descriptors"]
        )
        references.append(
            Registered(
                item=item,
                sha256=found["sha256"],
                pixel_digest=found["pixel_digest"],
                width=found["width"],
                height=found["height"],
                descriptors=descriptors,
            )
        )
    return world_of(references)
