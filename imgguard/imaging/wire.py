"""What goes over the socket between the service and a decoder process.

A frame is ``>II`` (length of the header, length of the body), a JSON object in UTF-8, and raw bytes. Requests have the
file as body and an empty header, or one that asks for the file's content credentials; replies describe the picture and
carry its working copy (RGB rows), or an error, or the credentials as JSON.
Nothing is ever unpickled, and a reply is used only after `parse_reply` has checked it: a decoder that a hostile file
has taken over cannot reach further into the service. It can still lie about that file and about those it is given until
it is replaced, and it has the rights of the account that the service runs under: give that account nothing else.
"""

import hashlib
import json
import re
import struct
from typing import Any, NoReturn

import numpy as np

from imgguard.errors import CorruptImage, ImageTooLarge, InputError, UnsupportedFormat
from imgguard.imaging.container import Format
from imgguard.imaging.image import WORKING_SIDE, DeclaredTime, DecodedImage, DecodeLimits, Pixels, working_size

PREFIX = struct.Struct(">II")
MAX_HEADER_BYTES = 65_536
MAX_REPLY_BYTES = WORKING_SIDE * WORKING_SIDE * 3

_ERRORS: dict[str, type[InputError]] = {error.code: error for error in (UnsupportedFormat, ImageTooLarge, CorruptImage)}
_MEDIA_TYPES = frozenset(kind.media_type for kind in Format)
_PRECISIONS = frozenset({"year", "month", "day", "minute", "second", "subsecond"})
_TEXT = r"[\x20-\x7e]{1,%d}"
_TIME_VALUE = r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?)?)?"
_MAX_DETAIL = 400


class BadReply(Exception):
    """The reply of a decoder process is not what the protocol allows."""


def pack(header: dict[str, Any], body: bytes | memoryview) -> bytes:
    """The prefix and header of a frame; the body follows on its own, to spare a copy."""
    text = json.dumps(header, separators=(",", ":")).encode() if header else b""
    return PREFIX.pack(len(text), len(body)) + text


def credentials_request(trust: str) -> dict[str, Any]:
    """Header of a request for content credentials; ``trust`` holds PEM certificates, or nothing."""
    return {"credentials": {"trust": trust}}


def trust_of(header: bytes) -> str | None:
    """Of the header of a request: None when it asks for the picture. The service is trusted to send a sound one."""
    return json.loads(header)["credentials"]["trust"] if header else None


def picture_header(image: DecodedImage) -> dict[str, Any]:
    """Header of the reply that carries ``image``. The digest of the file is left out: the parent computes its own."""
    return {
        "pixel_digest": image.pixel_digest,
        "media_type": image.media_type,
        "width": image.width,
        "height": image.height,
        "frame_count": image.frame_count,
        "source_mode": image.source_mode,
        "orientation": image.orientation,
        "declared_times": [[t.source, t.value, t.precision, t.offset] for t in image.declared_times],
        "decoder": image.decoder,
        "decoder_version": image.decoder_version,
    }


def error_header(error: InputError) -> dict[str, Any]:
    """Header of the reply that reports ``error``."""
    return {"error": error.code, "detail": error.detail[:_MAX_DETAIL]}


def parse_reply(raw_header: bytes, body: bytearray, *, data: bytes, limits: DecodeLimits) -> DecodedImage:
    """The picture a decoder process reports for ``data``.

    Raises the InputError it reports (UnsupportedFormat, ImageTooLarge, CorruptImage), and BadReply for anything that
    a sound decoder would not send.
    """
    try:
        header = json.loads(raw_header)
    except (ValueError, RecursionError):
        _bad("header is not JSON")
    if not isinstance(header, dict):
        _bad("header is not an object")
    if "error" in header:
        _raise_reported(header)
    width, height = (
        _integer(header, "width", high=limits.max_pixels),
        _integer(header, "height", high=limits.max_pixels),
    )
    if width * height > limits.max_pixels:
        _bad("more pixels than allowed")
    media_type = _text(header, "media_type", r"image/[a-z]+")
    if media_type not in _MEDIA_TYPES:
        _bad("media_type")
    return DecodedImage(
        sha256=hashlib.sha256(data).hexdigest(),
        byte_length=len(data),
        pixel_digest=_text(header, "pixel_digest", r"[0-9a-f]{64}"),
        media_type=media_type,
        width=width,
        height=height,
        frame_count=_integer(header, "frame_count", high=limits.max_frames),
        source_mode=_text(header, "source_mode", _TEXT % 16),
        orientation=_integer(header, "orientation", high=8),
        declared_times=_times(header.get("declared_times")),
        decoder=_text(header, "decoder", _TEXT % 32),
        decoder_version=_text(header, "decoder_version", _TEXT % 300),
        working=_pixels(body, size=working_size(width, height)),
    )


def _pixels(body: bytearray, *, size: tuple[int, int]) -> Pixels:
    width, height = size
    if len(body) != width * height * 3:
        _bad("the working copy has another size than the picture asks for")
    pixels = np.frombuffer(body, np.uint8).reshape(height, width, 3)
    pixels.flags.writeable = False
    return pixels


def _times(value: object) -> tuple[DeclaredTime, ...]:
    if not isinstance(value, list) or len(value) > 8:
        _bad("declared_times")
    return tuple(_time(item) for item in value)


def _time(item: object) -> DeclaredTime:
    if not isinstance(item, list) or len(item) != 4:
        _bad("declared_times")
    names = dict(zip(("source", "value", "precision", "offset"), item, strict=True))
    precision = _text(names, "precision", "[a-z]+")
    if precision not in _PRECISIONS:
        _bad("precision")
    return DeclaredTime(
        source=_text(names, "source", _TEXT % 64),
        value=_text(names, "value", _TIME_VALUE),
        precision=precision,
        offset=None if names["offset"] is None else _text(names, "offset", r"[+-]\d\d:\d\d"),
    )


def _raise_reported(header: dict[str, Any]) -> NoReturn:
    error, detail = _ERRORS.get(str(header["error"])), header.get("detail")
    if error is None or not isinstance(detail, str):
        _bad("unknown error")
    raise error("".join(c if c.isprintable() else "?" for c in detail[:_MAX_DETAIL]))


def _integer(header: dict[str, Any], name: str, *, high: int) -> int:
    value = header.get(name)
    if type(value) is not int or not 1 <= value <= high:
        _bad(name)
    return value


def _text(header: dict[str, Any], name: str, pattern: str) -> str:
    value = header.get(name)
    if not isinstance(value, str) or re.fullmatch(pattern, value, re.ASCII) is None:
        _bad(name)
    return value


def _bad(what: str) -> NoReturn:
    raise BadReply(f"not a reply a decoder sends: {what}")
