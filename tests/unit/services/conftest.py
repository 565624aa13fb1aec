"""Values that the services hand around, and stand-ins for what surrounds them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from imgguard.imaging.image import DecodedImage
from imgguard.registry.records import Content, Reference, ReferenceStatus
from imgguard.verdict.finding import Finding, Judgement, Relation, Strength, Verdict

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def judgement() -> Judgement:
    return Judgement(
        content_sha256="c" * 64,
        verdict=Verdict.COPY,
        relation=Relation.EDITED,
        log10_likelihood_ratio=3.5,
        strength=Strength.STRONG,
        reasons=("pixels_agree",),
        cosine_similarity=0.8,
        hamming_distance=20,
        inlier_count=50,
        agreement=0.9,
        query_coverage=0.7,
        reference_coverage=0.9,
        transform=None,
        query_region=((0.0, 0.0), (5.0, 0.0), (5.0, 5.0)),
        reference_region=None,
        edits=(),
        features={"correlation_median": 0.9},
    )


@pytest.fixture
def reference() -> Callable[..., Reference]:
    def make(**changes: Any) -> Reference:
        values: dict[str, Any] = {
            "reference_id": "ref_1",
            "owner_id": "own_1",
            "owner": "Ann",
            "work_id": "wrk_1",
            "sha256": "c" * 64,
            "file": "a.jpg",
            "status": ReferenceStatus.ACTIVE,
            "registered_at": NOW,
            "withdrawn_at": None,
            "erased_at": None,
        }
        return Reference(**values | changes)

    return make


@pytest.fixture
def finding() -> Callable[..., Finding]:
    def make(*judgements: Judgement) -> Finding:
        return Finding(
            query_sha256="a" * 64,
            query_pixel_digest="d" * 64,
            width=10,
            height=20,
            verdict=judgements[0].verdict if judgements else Verdict.NO_MATCH,
            reasons=("pixels_agree",),
            judgements=judgements,
            profile="quick",
            weights_sha256="e" * 64,
            query_weights_sha256="f" * 64,
            calibration_sha256="0" * 64,
            generation_id="gen_1",
            timings_ms={"decode": 1.0, "fingerprint": 2.0, "search": 3.0, "verify": 4.0, "total": 10.0},
        )

    return make


@pytest.fixture
def image() -> DecodedImage:
    return DecodedImage(
        sha256="a" * 64,
        byte_length=3,
        pixel_digest="d" * 64,
        media_type="image/png",
        width=4,
        height=2,
        frame_count=1,
        source_mode="RGB",
        orientation=1,
        declared_times=(),
        decoder="test",
        decoder_version="1",
        working=np.zeros((2, 4, 3), np.uint8),
    )


@pytest.fixture
def content() -> Content:
    return Content(
        number=1,
        sha256="c" * 64,
        byte_length=3,
        pixel_digest="d" * 64,
        media_type="image/png",
        width=4,
        height=2,
        decoder="test",
        decoder_version="1",
        declared_times="[]",
    )
