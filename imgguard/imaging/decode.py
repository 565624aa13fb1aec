"""Decode in this process: bytes to an upright sRGB picture, or one typed error.

Only for bytes that are trusted, and for the decoder process itself: an image library that crashes or hangs takes this
process with it. Everything else goes through `imgguard.imaging.sandbox`.
"""

import hashlib
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
from PIL import (
    AvifImagePlugin,
    Image,
    ImageFile,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
    __version__,
    _avif,
    features,
)

from imgguard.errors import CorruptImage, ImageTooLarge, InputError, UnsupportedFormat
from imgguard.imaging import colour, metadata
from imgguard.imaging.container import Format, count_frames, sniff
from imgguard.imaging.image import DecodedImage, DecodeLimits, Pixels, working_size

_PLUGINS = (AvifImagePlugin, TiffImagePlugin, WebPImagePlugin)
"""Imported so that Pillow knows them; without this it would load every plugin it has to find one."""

_DIGEST_TAG = b"imgguard-rgb8\0"
_DIGEST_ROWS = 128
_REDUCING_GAP = 2.0
_MAX_PNG_TEXT_BYTES = 16_000_000
_LOCK = threading.Lock()

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TAG_NEW_SUBFILE_TYPE, _TAG_SUB_IFDS, _TAG_DNG_VERSION = 254, 330, 50706


def decode_bytes(data: bytes, limits: DecodeLimits) -> DecodedImage:
    """Decode one file. ``limits.seconds`` and ``limits.memory_bytes`` are not enforced here, the sandbox does.

    One decode at a time per process, since Pillow keeps its limits in module globals. Raises UnsupportedFormat,
    ImageTooLarge or CorruptImage, and nothing else.
    """
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"{len(data)} bytes, the limit is {limits.max_bytes}")
    with _LOCK, _library_limits(limits):
        try:
            return _decode(data, limits)
        except InputError:
            raise
        except MemoryError as error:
            raise ImageTooLarge("decoding needs more memory than is allowed") from error
        except Image.DecompressionBombError as error:
            raise ImageTooLarge(f"more pixels than the limit of {limits.max_pixels}") from error
        except Exception as error:
            raise _translated(error) from error


@contextmanager
def _library_limits(limits: DecodeLimits) -> Iterator[None]:
    """Bring Pillow's own guards in line with ours, and keep its remarks on odd files off the caller's stderr."""
    pixels, text = Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Pillow warns above this number and refuses above twice of it.
        Image.MAX_IMAGE_PIXELS = (limits.max_pixels + 1) // 2
        PngImagePlugin.MAX_TEXT_CHUNK = _MAX_PNG_TEXT_BYTES
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = pixels, text


def _translated(error: Exception) -> InputError:
    """What a library says about a file whose format is known. Only the wording tells lack of memory apart."""
    text = str(error) or type(error).__name__
    if "memory" in text.lower() or "security limit" in text.lower():
        return ImageTooLarge(f"decoding needs more memory than is allowed ({text[:200]})")
    if isinstance(error, UnidentifiedImageError):
        text = "the header does not make sense"
    return CorruptImage(f"the picture cannot be decoded: {text[:200]}")


def _decode(data: bytes, limits: DecodeLimits) -> DecodedImage:
    kind = sniff(data)
    frames = count_frames(data, kind, stop=limits.max_frames + 1)
    _check_frames(frames or 1, limits)
    with _open(data, kind) as image:
        _check_pixels(image, limits)
        frames = frames or int(getattr(image, "n_frames", 1))
        _check_frames(frames, limits)
        source_mode = image.mode
        colour.prepare_transparency(image)
        if kind is Format.PNG:
            image.load()  # EXIF may follow the pixels
        tags = metadata.read_exif(image)
        orientation = metadata.orientation_of(tags)
        image.load()
        _check_pixels(image, limits)  # HEIC: the size can change while decoding
        rgb = colour.to_srgb(image)
    if orientation in _UPRIGHT and kind is not Format.TIFF:  # Pillow turns TIFF itself
        rgb = rgb.transpose(_UPRIGHT[orientation])
    return DecodedImage(
        sha256=hashlib.sha256(data).hexdigest(),
        byte_length=len(data),
        pixel_digest=_pixel_digest(rgb),
        media_type=kind.media_type,
        width=rgb.width,
        height=rgb.height,
        frame_count=frames,
        source_mode=source_mode,
        orientation=orientation,
        declared_times=metadata.declared_times(tags),
        decoder="pi-heif" if kind is Format.HEIC else "pillow",
        decoder_version=decoder_version(kind),
        working=_working(rgb),
    )


def _open(data: bytes, kind: Format) -> ImageFile.ImageFile:
    """Read the header; no pixels yet."""
    stream = BytesIO(data)
    if kind is Format.HEIC:
        # Imported here: most decoder processes never see a HEIC file.
        import pi_heif.options

        pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
        pi_heif.options.DECODE_THREADS = 1
        heif: ImageFile.ImageFile = pi_heif.HeifImageFile(stream)
        return heif
    image = Image.open(stream, formats=[kind.plugin])
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        _refuse_raw(image)
    return image


def _refuse_raw(image: TiffImagePlugin.TiffImageFile) -> None:
    """Camera raw files are TIFF with a thumbnail in front: taking that for the picture would be wrong."""
    tags = image.tag_v2
    is_thumbnail = _TAG_SUB_IFDS in tags and tags.get(_TAG_NEW_SUBFILE_TYPE) == 1
    if _TAG_DNG_VERSION in tags or is_thumbnail:
        raise UnsupportedFormat("camera raw files are not accepted")


def _check_frames(frames: int, limits: DecodeLimits) -> None:
    if frames > limits.max_frames:
        raise ImageTooLarge(f"more frames than the limit of {limits.max_frames}")


def _check_pixels(image: Image.Image, limits: DecodeLimits) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise CorruptImage("the picture has no pixels")
    if width * height > limits.max_pixels:
        raise ImageTooLarge(f"{width} x {height} pixels, the limit is {limits.max_pixels} in all")


def _pixel_digest(rgb: Image.Image) -> str:
    """SHA-256 as `DecodedImage.pixel_digest` specifies it, a few rows at a time."""
    digest = hashlib.sha256(_DIGEST_TAG + struct.pack(">II", rgb.width, rgb.height))
    for top in range(0, rgb.height, _DIGEST_ROWS):
        digest.update(rgb.crop((0, top, rgb.width, min(top + _DIGEST_ROWS, rgb.height))).tobytes())
    return digest.hexdigest()


def _working(rgb: Image.Image) -> Pixels:
    """Reduce: by whole numbers with a box first, then a Lanczos filter for the rest."""
    size = working_size(rgb.width, rgb.height)
    if size != rgb.size:
        rgb = rgb.resize(size, Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP)
    pixels = np.array(rgb, dtype=np.uint8)
    pixels.flags.writeable = False
    return pixels


def decoder_version(kind: Format) -> str:
    """Versions of everything that can change a pixel of this format, our own colour rules included."""
    ours = f"lcms {features.version_module('littlecms2')}+rules {colour.RECIPE}"
    if kind is Format.HEIC:
        import pi_heif

        info = pi_heif.libheif_info()
        codec = info["decoders"].get("libde265", "unknown decoder")
        return f"{pi_heif.__version__}+libheif {info['libheif']}+{codec}+{ours}"
    jpeg = f"libjpeg-turbo {features.version_feature('libjpeg_turbo')}"
    codecs = {
        Format.JPEG: jpeg,
        Format.TIFF: f"libtiff {features.version_codec('libtiff')}+{jpeg}",
        Format.WEBP: f"libwebp {features.version_module('webp')}",
        Format.AVIF: f"libavif {features.version_module('avif')}+{_avif.codec_versions()}",
    }
    return "+".join(part for part in (__version__, codecs.get(kind), ours) if part)
