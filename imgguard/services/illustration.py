"""Evidence pictures of a match: the two pictures at a fair size, and the measurements to draw, made again.

Works from a match and the bytes of both pictures alone, so that it gives the same pictures during a check and later,
from the stored finding.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.errors import ImgguardError
from imgguard.evidence.files import write_evidence
from imgguard.evidence.pictures import draw_evidence, flip_pair
from imgguard.evidence.scene import Material
from imgguard.fingerprint.fingerprint import ReferencePicture
from imgguard.imaging.image import DecodedImage, Decoder, Pixels
from imgguard.ports import BlobStore, Catalogue
from imgguard.services.contract import CheckLine, Match
from imgguard.services.library import CatalogueLibrary
from imgguard.verdict.finding import Verdict
from imgguard.verify import matching
from imgguard.verify.agreement import agreement, match_sharpness
from imgguard.verify.alignment import Pyramid, align
from imgguard.verify.examination import QueryPicture
from imgguard.verify.geometry import Homography, normalised, scaling, transformed

_AGREEMENT_SIDE = 400
_NEAR = 3.0  # pixels of a 512-pixel frame: keypoint pairs this close to the transform are drawn as its own


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Illustration:
    """Pictures of the best match by name, RGB uint8, and the pair to switch between."""

    query: Pixels
    pictures: Mapping[str, Pixels] = field(default_factory=dict)
    flip: tuple[Pixels, Pixels] | None = None


class Illustrator:
    """Draws matches of one query. Thread safe."""

    def __init__(self, *, blobs: BlobStore, decoder: Decoder) -> None:
        self._blobs = blobs
        self._decoder = decoder

    def query(self, data: bytes) -> "QueryScene":
        """A query, decoded for drawing. Raises InputError."""
        image = self._decoder.decode(data)
        return QueryScene(image=image, prepared=QueryPicture(image.working))

    def original(self, reference: ReferencePicture) -> Pixels:
        """The original at working size; its stored working copy where the bytes cannot be had."""
        try:
            return self._decoder.decode(self._blobs.get(reference.content_sha256)).working
        except ImgguardError:
            return reference.working

    def draw(self, scene: "QueryScene", match: Match, reference: ReferencePicture) -> Illustration:
        """All pictures of one match."""
        material = material_of(scene, match, reference, self.original(reference))
        return Illustration(query=scene.image.working, pictures=draw_evidence(material), flip=flip_pair(material))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QueryScene:
    """A decoded query and its form for verification."""

    image: DecodedImage
    prepared: QueryPicture


def material_of(scene: QueryScene, match: Match, reference: ReferencePicture, original: Pixels) -> Material:
    """What the drawing works from, all in working pixels of ``scene.image`` and of ``original``."""
    image = scene.image
    query_size = (image.working.shape[1], image.working.shape[0])
    to_query = scaling(query_size[0] / image.width, query_size[1] / image.height)
    to_original = scaling(original.shape[1] / reference.width, original.shape[0] / reference.height)
    full = None if match.transform is None else np.array(match.transform.matrix, dtype=np.float64)
    matrix = None if full is None else normalised(to_query @ full @ np.linalg.inv(to_original))
    points = _keypoints(scene.prepared, match, reference, full, (image.width, image.height))
    return Material(
        query=image.working,
        reference=original,
        matrix=matrix,
        query_region=_moved(match.query_region, to_query),
        reference_region=_moved(match.reference_region, to_original),
        query_points=None if points is None else points[1] * query_size,
        reference_points=None if points is None else points[0] * (original.shape[1], original.shape[0]),
        agreement=None if full is None else _agreement(scene, reference, full),
    )


def _moved(region: list[tuple[float, float]] | None, matrix: Homography) -> NDArray[np.float64] | None:
    return None if region is None else transformed(matrix, np.array(region, dtype=np.float64))


def _keypoints(
    query: QueryPicture, match: Match, reference: ReferencePicture, full: Homography | None, size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Positions (n, 2), as fractions, of keypoints in the reference and in the query that belong together.

    With a transform those that it explains; without one those that agree on any movement at all.
    """
    mirrored = match.transform is not None and match.transform.mirrored
    pairs = query.matcher().match(reference.keypoints, mirrored=mirrored)
    if full is None:
        fit = matching.homography(pairs, (reference.width, reference.height), size)
        chosen = np.zeros(len(pairs), dtype=bool) if fit is None else fit.inliers
    else:
        moved = transformed(full, pairs.reference * (reference.width, reference.height))
        distance = np.linalg.norm(moved - pairs.query * size, axis=1)
        chosen = distance < _NEAR * max(size) / 512
    if not chosen.any():
        return None
    return pairs.reference[chosen].astype(np.float64), pairs.query[chosen].astype(np.float64)


def _agreement(scene: QueryScene, reference: ReferencePicture, full: Homography) -> NDArray[np.float32] | None:
    """Local correlation over the query's verification frame, NaN where it means nothing."""
    prepared, image = scene.prepared, scene.image
    grey = np.asarray(cv2.cvtColor(reference.working, cv2.COLOR_RGB2GRAY), np.float32)
    down = scaling(prepared.size[0] / image.width, prepared.size[1] / image.height)
    up = scaling(reference.width / grey.shape[1], reference.height / grey.shape[0])
    matrix = normalised(down @ full @ up)
    pair = None if matrix is None else align(prepared.pyramid, Pyramid(grey), matrix, side=_AGREEMENT_SIDE)
    if pair is None:
        return None
    # Along the frame's edge the warped reference is mixed with the nothing outside: that is no disagreement.
    inner = cv2.erode(np.pad(pair.valid.astype(np.uint8), 1), np.ones((5, 5), np.uint8))[1:-1, 1:-1].astype(bool)
    pair, _ = match_sharpness(replace(pair, valid=inner))
    found = agreement(pair)
    values = np.where(found.textured & found.valid, found.correlation, np.nan).astype(np.float32)
    back = np.linalg.inv(pair.to_patch)
    left, top = round(float(back[0, 2])), round(float(back[1, 2]))
    width, height = round(values.shape[1] * float(back[0, 0])), round(values.shape[0] * float(back[1, 1]))
    whole = np.full((prepared.size[1], prepared.size[0]), np.nan, dtype=np.float32)
    patch = cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST)
    part = whole[top : top + height, left : left + width]
    part[:] = patch[: part.shape[0], : part.shape[1]]
    return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A line whose matches name their pictures, and the pictures of its best match."""

    line: CheckLine
    illustration: Illustration


def illustrate(
    line: CheckLine,
    data: bytes,
    illustrator: Illustrator,
    catalogue: Catalogue,
    library: CatalogueLibrary,
    *,
    folder: Path | None,
) -> Drawn:
    """Draw the best match and every other copy; write the pictures to ``folder`` unless that is None.

    References of one content share their pictures. Raises ConfigurationError when the folder cannot be written.
    """
    scene = illustrator.query(data)
    best = Illustration(query=scene.image.working)
    drawn: dict[str, dict[str, str]] = {}
    matches: list[Match] = []
    for position, match in enumerate(line.matches):
        paths: dict[str, str] = {}
        sha256 = catalogue.reference(match.reference_id or "").sha256
        if sha256 is not None and sha256 in drawn:
            paths = drawn[sha256]
        elif sha256 is not None and (position == 0 or match.verdict is Verdict.COPY):
            reference = library.picture(catalogue.content(sha256))
            if reference is not None:
                illustration = illustrator.draw(scene, match, reference)
                best = illustration if position == 0 else best
                if folder is not None:
                    stem = f"{line.finding_id}-{position + 1}"
                    written = write_evidence(illustration.pictures, folder=folder, stem=stem)
                    paths = {name: str(path) for name, path in written.items()}
                drawn[sha256] = paths
        matches.append(match if folder is None else match.model_copy(update={"evidence": paths}))
    return Drawn(line=line.model_copy(update={"matches": matches}), illustration=best)
