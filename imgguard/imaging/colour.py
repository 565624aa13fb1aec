"""From whatever a file stores (grey, palette, CMYK, 16 bit, alpha, ICC profile) to sRGB, 8 bit, opaque."""

from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile

RECIPE = 1
"""Version of the rules in this module. Raise it when a change here can change a pixel."""

_STRIP_ROWS = 256
_MAX_PROFILE_BYTES = 16_000_000
_MODE_OF_PROFILE = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_TAG_BITS_PER_SAMPLE = 258
_TAG_PHOTOMETRIC = 262


def prepare_transparency(image: ImageFile.ImageFile) -> None:
    """Scale the transparent colour of a PNG to the 8 bits its samples will have. Call before the pixels are loaded.

    The ``tRNS`` chunk is written in the sample depth of the file (PNG specification, 11.3.2.1), Pillow scales the
    samples but not this.
    """
    transparency = image.info.get("transparency")
    if transparency is None or isinstance(transparency, bytes) or image.mode not in {"L", "RGB"} or not image.tile:
        return
    arguments = image.tile[0].args
    raw_mode = str(arguments[0] if isinstance(arguments, tuple) else arguments)
    values = transparency if isinstance(transparency, tuple) else (transparency,)
    if "16" in raw_mode:
        values = tuple(value >> 8 for value in values)
    elif raw_mode in {"L;2", "L;4"}:
        values = tuple(value * (255 // (2 ** int(raw_mode[2:]) - 1)) for value in values)
    if any(not 0 <= value <= 255 for value in values):
        del image.info["transparency"]
    else:
        image.info["transparency"] = values if isinstance(transparency, tuple) else values[0]


def to_srgb(image: Image.Image) -> Image.Image:
    """A loaded picture of any mode as a new ``RGB`` one in sRGB; transparency is laid on white.

    A profile that is broken, or made for another kind of pixels than these, is ignored: the values are then taken
    as sRGB. Raises ValueError for a mode that Pillow cannot convert.
    """
    colour, alpha = _split_alpha(image)
    profile = image.info.get("icc_profile")
    rgb = _apply_profile(colour, profile if isinstance(profile, bytes) else None)
    if alpha is None:
        return rgb
    white = Image.new("RGB", rgb.size, (255, 255, 255))
    white.paste(rgb, mask=alpha)
    return white


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Colour in one of the modes RGB, L, CMYK, LAB, and alpha as L or None."""
    mode = image.mode
    if mode.startswith("I;16"):
        return _grey_from_integers(image)
    if mode in {"I", "F"}:
        return _grey_from_range(image), None
    if mode in {"L", "RGB", "CMYK", "LAB"} and "transparency" not in image.info:
        return image, None
    if mode in {"1", "L"}:
        image = image.convert("LA" if "transparency" in image.info else "L")
    elif mode in {"RGBa", "PA", "RGB"} or (mode == "P" and "transparency" in image.info):
        image = image.convert("RGBA")
    elif mode == "La":
        image = image.convert("LA")
    if image.mode in {"LA", "RGBA"}:
        alpha = image.getchannel("A")
        colour = image.getchannel("L") if image.mode == "LA" else image.convert("RGB")
        return colour, None if alpha.getextrema() == (255, 255) else alpha
    return (image if image.mode == "L" else image.convert("RGB")), None


def _apply_profile(colour: Image.Image, profile: bytes | None) -> Image.Image:
    transform = _transform(profile, colour.mode) if profile else None
    if transform is None and colour.mode == "LAB":
        transform = _build(ImageCms.createProfile("LAB"), "LAB")
    if transform is None:
        return colour if colour.mode == "RGB" else colour.convert("RGB")
    return transform.apply(colour)


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from an embedded profile to sRGB, or None when it cannot be used for this mode.

    Cached because pictures of one seller mostly carry the same profile and building the tables is the slow part.
    """
    if len(profile) > _MAX_PROFILE_BYTES:
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if _MODE_OF_PROFILE.get(source.profile.xcolor_space) != mode:
            return None
        return _build(source, mode)
    except MemoryError:
        raise
    except Exception:
        return None


def _build(source: Any, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.ImageCmsTransform(
        ImageCms.ImageCmsProfile(source) if not isinstance(source, ImageCms.ImageCmsProfile) else source,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        mode,
        "RGB",
        _INTENT,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _grey_from_integers(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """16-bit grey, scaled by its white level (65535, or that of the bits per sample a TIFF states)."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_TAG_BITS_PER_SAMPLE, (16,))[0]
    white = (1 << bits) - 1 if 8 < bits <= 16 else 65535
    inverted = tags.get(_TAG_PHOTOMETRIC, 1) == 0
    transparent = image.info.get("transparency")
    grey = np.empty((image.height, image.width), np.uint8)
    opaque = np.full(grey.shape, 255, np.uint8) if isinstance(transparent, int) else None
    for rows, values in _strips(image):
        levels = np.minimum(values.astype(np.uint32), white)
        scaled = ((levels * 255 + white // 2) // white).astype(np.uint8)
        grey[rows] = 255 - scaled if inverted else scaled
        if opaque is not None:
            opaque[rows][values == transparent] = 0
    return Image.fromarray(grey), None if opaque is None else Image.fromarray(opaque)


def _grey_from_range(image: Image.Image) -> Image.Image:
    """32-bit integer or floating-point grey. Neither states its white level, so the range of the values decides.

    Values within 0..1 (floating point), 0..255 or 0..65535 are read on that scale, anything else is stretched from
    its minimum to its maximum; what is not finite is black.
    """
    low, high = np.inf, -np.inf
    for _, values in _strips(image):
        finite = values[np.isfinite(values)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    scales = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    white = next((scale for scale in scales if high <= scale), None) if low >= 0 else None
    black, span = (0.0, white) if white is not None else (low, max(high - low, 1e-30))
    grey = np.empty((image.height, image.width), np.uint8)
    for rows, values in _strips(image):
        finite = np.where(np.isfinite(values), values, black).astype(np.float64)
        grey[rows] = np.clip(np.floor((finite - black) / span * 255.0 + 0.5), 0, 255).astype(np.uint8)
    return Image.fromarray(grey)


def _strips(image: Image.Image) -> Iterator[tuple[slice, NDArray[Any]]]:
    """The rows of a one-channel picture, some at a time, so that wide intermediate types stay small."""
    for top in range(0, image.height, _STRIP_ROWS):
        bottom = min(top + _STRIP_ROWS, image.height)
        yield slice(top, bottom), np.asarray(image.crop((0, top, image.width, bottom)))
