"""Pictures as files; and what is left of them for those who may not see more."""

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from imgguard.evidence.canvas import outlined, polygon_mask, veiled
from imgguard.fingerprint.describe import reduced
from imgguard.imaging.image import Pixels
from imgguard.services.contract import Point

THUMBNAIL_SIDE = 48
"""Longest side, in pixels, of what is left of an original in a blurred thumbnail."""

_THUMBNAIL_SHOWN = 288
_JPEG_QUALITY = 85
_DRAWING_QUALITY = 90
_COLOURS_IN_FULL = 0  # 4:4:4


def png(picture: Pixels) -> bytes:
    """``picture`` as PNG; the same picture gives the same bytes."""
    return _file(picture, "PNG", compress_level=2)


def jpeg(picture: Pixels) -> bytes:
    """``picture`` as JPEG, good enough to look at."""
    return _file(picture, "JPEG", quality=_JPEG_QUALITY)


def drawing(picture: Pixels) -> bytes:
    """An evidence picture as JPEG, its coloured lines sharp: a tenth of its PNG."""
    return _file(picture, "JPEG", quality=_DRAWING_QUALITY, subsampling=_COLOURS_IN_FULL)


def _file(picture: Pixels, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()


def blurred(picture: Pixels) -> Pixels:
    """All that is shown of an original to those who may know its outline only: ``THUMBNAIL_SIDE`` pixels, enlarged."""
    small = reduced(picture, THUMBNAIL_SIDE)
    height, width = small.shape[:2]
    scale = _THUMBNAIL_SHOWN / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def with_region(query: Pixels, region: Sequence[Point] | None, *, size: tuple[int, int]) -> Pixels:
    """The checked picture, which is ``size`` (width, height) pixels large, with the part that matches outlined."""
    if region is None or len(region) < 3:
        return query
    height, width = query.shape[:2]
    polygon = np.array(region, dtype=np.float64) * [width / size[0], height / size[1]]
    return outlined(veiled(query, polygon_mask(polygon, width=width, height=height)), polygon)
