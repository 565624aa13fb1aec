"""What is said where nothing could be measured, and where nothing had to be."""

import numpy as np
import pytest

from imgguard.fingerprint import keypoints
from imgguard.fingerprint.fingerprint import Keypoints, ReferencePicture
from imgguard.fingerprint.perceptual import pdq
from imgguard.imaging.image import DecodedImage
from imgguard.imaging.views import WHOLE, View
from imgguard.verdict.calibration import shipped
from imgguard.verdict.finding import Judgement, Verdict
from imgguard.verdict.judge import Evidence, judge
from imgguard.verify.examination import Examination, QueryPicture

GREY = np.full((64, 64, 3), 128, np.uint8)
HASHES = pdq(GREY)


def image(*, sha256: str = "1" * 64, pixel_digest: str = "2" * 64) -> DecodedImage:
    return DecodedImage(
        sha256=sha256,
        byte_length=100,
        pixel_digest=pixel_digest,
        media_type="image/png",
        width=64,
        height=64,
        frame_count=1,
        source_mode="RGB",
        orientation=1,
        declared_times=(),
        decoder="test",
        decoder_version="1",
        working=GREY,
    )


def reference(found: Keypoints) -> ReferencePicture:
    return ReferencePicture(
        content_sha256="3" * 64,
        pixel_digest="4" * 64,
        width=64,
        height=64,
        working=GREY,
        keypoints=found,
        pdq=HASHES.upright,
        pdq_quality=HASHES.quality,
    )


def judged(query: DecodedImage, *, cosine: float, details: int) -> Judgement | None:
    """Of a pair that could not be aligned; ``details`` keypoints in either picture."""
    examined = Examination(
        matrix=None,
        origin="none",
        features={"keypoints_query": float(details), "keypoints_reference": float(details)},
        matches=None,
        pair=None,
        found=None,
    )
    evidence = Evidence(image=query, hashes=HASHES, cosine_similarity=cosine, view=View(window=WHOLE, kind="whole"))
    return judge(evidence, QueryPicture(GREY), reference(keypoints.empty()), examined, shipped())


def test_pictures_with_details_that_cannot_be_aligned_are_two_photographs() -> None:
    found = judged(image(), cosine=0.7, details=200)
    assert found is not None
    assert found.verdict is Verdict.SAME_PRODUCT
    assert found.reasons == ("not_aligned",)
    assert found.log10_likelihood_ratio == pytest.approx(shipped().unaligned, abs=1e-3)


@pytest.mark.parametrize("cosine", [0.45, 0.9])
def test_plain_pictures_that_cannot_be_aligned_are_left_open(cosine: float) -> None:
    found = judged(image(), cosine=cosine, details=5)
    assert found is not None
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reasons == ("too_plain",)
    assert found.log10_likelihood_ratio == 0
    assert found.edits == ()


@pytest.mark.parametrize(("cosine", "details"), [(0.5, 200), (0.3, 5)])
def test_what_is_hardly_alike_is_not_listed(cosine: float, details: int) -> None:
    assert judged(image(), cosine=cosine, details=details) is None


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (image(sha256="3" * 64), "identical_bytes"),
        (image(pixel_digest="4" * 64), "identical_pixels"),
    ],
)
def test_identical_files_need_no_measurement(query: DecodedImage, reason: str) -> None:
    found = judged(query, cosine=0.02, details=0)
    assert found is not None
    assert found.verdict is Verdict.COPY
    assert found.relation == "identical"
    assert found.reasons == (reason,)  # nothing was laid over anything, so nothing is said of pixels that agree
