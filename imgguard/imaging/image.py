"""The values that decoding produces."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

type Pixels = NDArray[np.uint8]
"""RGB picture, uint8, shape (height, width, 3), sRGB, upright."""

WORKING_SIDE = 1024
"""Longest side, in pixels, of the reduced picture that every later stage works on."""


def working_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the working copy of a picture: never enlarged, at least one pixel."""
    scale = min(1.0, WORKING_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeLimits:
    """Bounds on one decode: file size in bytes, pixels, frames, wall-clock seconds, address space in bytes."""

    max_bytes: int = 64_000_000
    max_pixels: int = 100_000_000
    max_frames: int = 2_000
    seconds: float = 20.0
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTime:
    """A time that a file claims for itself: never converted to UTC, never trusted.

    ``value`` is the text as written, ISO 8601 order (``2024-05-01T10:22:03``); ``precision`` one of ``year``,
    ``month``, ``day``, ``minute``, ``second``, ``subsecond``; ``offset`` is ``+08:00``-like, or None when unknown.
    """

    source: str
    value: str
    precision: str
    offset: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedImage:
    """One decoded file.

    ``width`` and ``height`` are those of the upright picture in full resolution; ``working`` is the same picture
    with its longest side at most ``WORKING_SIDE`` pixels. ``sha256`` is of the file's bytes. ``pixel_digest`` is
    SHA-256 over ``b"imgguard-rgb8\\0" + width (4 bytes, big endian) + height (4 bytes) + RGB rows`` of the
    full-resolution upright sRGB picture, so it depends on ``decoder`` and ``decoder_version``.
    """

    sha256: str
    byte_length: int
    pixel_digest: str
    media_type: str
    width: int
    height: int
    frame_count: int
    source_mode: str
    orientation: int
    declared_times: tuple[DeclaredTime, ...]
    decoder: str
    decoder_version: str
    working: Pixels

    @property
    def working_scale(self) -> float:
        """Working pixels per full-resolution pixel (<= 1)."""
        return float(self.working.shape[1] / self.width)


class Decoder(Protocol):
    """Turns bytes into pixels. Raises UnsupportedFormat, ImageTooLarge, CorruptImage, DecodeTimeout, DecodeCrash."""

    def decode(self, data: bytes) -> DecodedImage: ...

    def close(self) -> None: ...
