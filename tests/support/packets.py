"""Evidence packets for tests: made up, complete, and the same on every machine."""

import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from PIL import Image
from pydantic_core import to_json

from imgguard.evidence.packet.model import Packet
from imgguard.evidence.packet.words import not_proven

MADE_AT = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)


def png(width: int = 320, height: int = 240, *, seed: int = 1) -> bytes:
    """Coarse coloured blotches."""
    blotches = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(blotches).resize((width, height), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def bound(**changes: Any) -> dict[str, Any]:
    fields = {
        "at": MADE_AT - timedelta(days=300),
        "by": "Example Time Authority",
        "trust": "independent",
        "basis": "timestamp",
        "file": "references/1/checkpoint.tsr",
    }
    return fields | changes


def reference(number: int = 1, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "reference_id": f"ref_{number}",
        "title": f"Denim jacket, picture {number}",
        "registered_by": "Studio Example",
        "registered_at": MADE_AT - timedelta(days=301),
        "status": "active",
        "file": {"name": "jacket.jpg", "sha256": "ab" * 32, "bytes": 1_234_567, "media_type": "image/jpeg"},
        "pixels": {"sha256": "cd" * 32, "width": 320, "height": 240, "decoder": "Pillow 13.0.0"},
        "claims": {
            "dates": [{"event": "taken", "value": "2026-01-05"}],
            "places": ["Hangzhou"],
            "urls": ["https://example.com/jacket"],
            "statement": "Taken in our studio.\nThe RAW file is kept.",
        },
        "metadata": {
            "times": [{"source": "exif:DateTimeOriginal", "value": "2026-01-05T09:08:07", "offset": "+08:00"}],
            "camera": "Example X1",
            "software": "Example Editor 5",
            "content_credentials": {
                "state": "valid",
                "signer": "Example CA",
                "device": None,
                "actions": ["c2pa.opened"],
            },
        },
        "proofs": [{"kind": "raw", "name": "jacket.dng", "sha256": "ef" * 32, "bytes": 20_000_000, "path": None}],
        "existed_no_later_than": [bound(file=f"references/{number}/checkpoint.tsr")],
        "asset": None,
        "thumbnail": f"references/{number}/thumbnail.png",
        "record": f"references/{number}/record.json",
        "opening": None,
        "leaf": f"references/{number}/leaf.json",
        "log_proof": f"references/{number}/leaf.tlog-proof",
    }
    return fields | changes


def finding(number: int = 1, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "finding_id": f"fnd_{number}",
        "checked_at": MADE_AT - timedelta(days=1),
        "listing": {
            "file_name": f"listing-{number}.jpg",
            "url": "https://shop.example/item/1.jpg",
            "fetched_at": MADE_AT - timedelta(days=1, seconds=5),
            "sha256": "12" * 32,
            "width": 320,
            "height": 240,
            "asset": None,
            "thumbnail": f"findings/{number}/listing.png",
        },
        "verdict": "copy",
        "relation": "partial",
        "reference_id": "ref_1",
        "edits": ["cropped", "mirrored"],
        "strength": "very_strong",
        "reasons": ["pixels_agree"],
        "figures": {
            "log10_likelihood_ratio": 3.0,
            "agreement": 0.97,
            "reference_coverage": 0.34,
            "query_coverage": 0.995,
            "inlier_count": 214,
            "cosine_similarity": 0.91,
            "hamming_distance": 38,
        },
        "regions": {
            "listing": [[0, 0], [320, 0], [320, 240], [0, 240]],
            "reference": [[60, 40], [200, 40], [200, 160], [60, 160]],
        },
        "licence": {"status": "none", "because": [], "ends_at": None},
        "decision": None,
        "pictures": {name: f"findings/{number}/{name}.png" for name in ("side_by_side", "aligned")},
        "proofs": [],
    }
    return fields | changes


def pictures_of(content: dict[str, Any]) -> dict[str, bytes]:
    """A picture for every path that references and findings name, by path; what is no picture is some bytes."""
    paths: list[str] = []
    for one in content["references"]:
        named = [one[key] for key in ("asset", "thumbnail", "record", "opening", "leaf", "log_proof")]
        paths += [*named, *(proof["path"] for proof in one["proofs"])]
        paths += [each["file"] for each in one["existed_no_later_than"]]
    for one in content["findings"]:
        paths += [one["listing"]["asset"], one["listing"]["thumbnail"], *one["pictures"].values(), *one["proofs"]]
    return {
        path: png(seed=number) if path.endswith(".png") else path.encode()
        for number, path in enumerate(path for path in paths if path is not None)
    }


def packet(*, references: int = 1, findings: int = 1, **changes: Any) -> tuple[Packet, dict[str, bytes]]:
    """A packet and its files by path; ``changes`` replace whole fields."""
    numbers = range(1, references + 1), range(1, findings + 1)
    return packet_of([reference(one) for one in numbers[0]], [finding(one) for one in numbers[1]], **changes)


def packet_of(
    references: list[dict[str, Any]], findings: list[dict[str, Any]], **changes: Any
) -> tuple[Packet, dict[str, bytes]]:
    """The same with the references and findings given; the packet is read from its JSON, strictly."""
    content: dict[str, Any] = {
        "version": 1,
        "packet_id": "pkt_01",
        "created_at": MADE_AT,
        "made_by": {"installation": "log.example/main", "software": "imgguard 0.1.0", "sealed_by": "Example Operator"},
        "purpose": "complaint",
        "on_behalf_of": "Studio Example",
        "subjects": [{"kind": "finding", "id": "fnd_1"}],
        "references": references,
        "findings": findings,
        "missing": [{"code": "no_witness", "en": "No independent witness saw the log.", "zh": "没有独立见证方。"}],
        "against": [{"code": "earlier", "en": "Somebody else registered it as well.", "zh": "另有他人登记。"}],
        "not_proven": [remark.model_dump() for remark in not_proven()],
    } | {key: value for key, value in changes.items() if key != "files"}
    files = pictures_of(content) | changes.get("files", {})
    content["files"] = [
        {"path": path, "sha256": sha256(data), "bytes": len(data)} for path, data in sorted(files.items())
    ]
    return Packet.model_validate_json(to_json(content)), files
