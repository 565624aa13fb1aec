"""The packet's pictures as the report embeds them: flat RGB JPEG files of bounded size."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image, ImageOps

from imgguard.errors import CorruptImage, ImageTooLarge, PacketMismatch
from imgguard.evidence.packet.model import Packet

MOST_PIXELS = 60_000_000  # of one picture; what the product draws is below 4 million
_SIDES = ((20, 1600), (60, 1000))  # up to so many pictures: pixels of the longest side, so that a report stays small
_SMALLEST_SIDE = 640
_QUALITY = 82


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A picture under the name that the template knows it by; size in pixels."""

    name: str
    jpeg: bytes
    width: int
    height: int


class Pictures:
    """The pictures of one packet, each reduced when it is asked for, and once."""

    def __init__(self, packet: Packet, files: Mapping[str, bytes], *, count: int) -> None:
        """``count``: how many the report will show, by which their size is chosen."""
        self._digests = {file.path: file.sha256 for file in packet.files}
        self._files = files
        self._side = next((side for most, side in _SIDES if count <= most), _SMALLEST_SIDE)
        self._made: dict[str, Embedded] = {}

    def embedded(self, path: str) -> Embedded:
        """Raises PacketMismatch unless the file is there with the packet's digest; CorruptImage, ImageTooLarge."""
        if path not in self._made:
            self._made[path] = self._reduced(path)
        return self._made[path]

    def made(self) -> dict[str, bytes]:
        """All that were asked for, by name."""
        return {picture.name: picture.jpeg for picture in self._made.values()}

    def _reduced(self, path: str) -> Embedded:
        data = self._files.get(path)
        if data is None:
            raise PacketMismatch(f"{path} is named in the packet and was not given")
        if hashlib.sha256(data).hexdigest() != self._digests[path]:
            raise PacketMismatch(f"{path} does not have the SHA-256 that the packet names")
        picture = _flat(data, path=path, side=self._side)
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=_QUALITY, subsampling="4:2:0")
        name = f"picture-{len(self._made) + 1}.jpg"
        return Embedded(name=name, jpeg=buffer.getvalue(), width=picture.width, height=picture.height)


def _flat(data: bytes, *, path: str, side: int) -> Image.Image:
    """Upright RGB on white, the longest side at most ``side`` pixels; metadata and profiles are left behind."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ImageTooLarge(f"{path} has {opened.width} x {opened.height} pixels")
            opened.draft("RGB", (side, side))  # JPEG only: decoded at the nearest larger eighth
            picture = ImageOps.exif_transpose(opened)
            if picture.has_transparency_data:
                paper = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(paper, picture.convert("RGBA"))
            picture = picture.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise CorruptImage(f"{path} cannot be read as JPEG or PNG: {error}") from error
    picture.info.clear()
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture
