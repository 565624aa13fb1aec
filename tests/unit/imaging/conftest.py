"""Pictures and profiles made on the spot, and where the development images are."""

import io
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgguard.imaging.image import DecodeLimits
from imgguard.imaging.sandbox import SandboxedDecoder

Encode = Callable[..., bytes]


@pytest.fixture(scope="session")
def assets() -> Path:
    return Path(__file__).parents[2] / "assets"


@pytest.fixture(scope="session")
def hostile() -> Path:
    checkout = Path(__file__).parents[3]
    folder = Path(os.environ.get("IMGGUARD_DATA", checkout / "../shared/data")) / "hostile"
    if not folder.is_dir():
        pytest.skip("the hostile files are not here; set IMGGUARD_DATA")
    return folder


@pytest.fixture(scope="session")
def picture() -> Image.Image:
    """RGB, 120 x 90, smooth ramps and one red block in the upper left corner, so that every turn of it differs."""
    x, y = np.meshgrid(np.arange(120) * 2, np.arange(90) * 2)
    rgb = np.dstack([x, y, np.full_like(x, 90)]).astype(np.uint8)
    rgb[5:30, 5:40] = (220, 30, 30)
    return Image.fromarray(rgb)


@pytest.fixture(scope="session")
def encode() -> Encode:
    def encode(image: Image.Image, plugin: str, **options: Any) -> bytes:
        stream = io.BytesIO()
        image.save(stream, plugin, **options)
        return stream.getvalue()

    return encode


@pytest.fixture(scope="session")
def huge_png(encode: Encode) -> bytes:
    """81 megapixels in few bytes: some seconds and 0.7 GB to decode."""
    return encode(Image.new("L", (9000, 9000), 200), "PNG", compress_level=1)


@pytest.fixture
def decoder() -> Iterator[SandboxedDecoder]:
    with SandboxedDecoder(DecodeLimits()) as decoder:
        yield decoder


def make_profile(space: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile, version 2 (ICC.1:2001-04, clauses 6.1 to 6.3)."""
    tags = tags | {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
    }
    table, blocks, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, block in tags.items():
        block += bytes(-len(block) % 4)
        table += name + struct.pack(">II", at, len(block))
        blocks += block
        at += len(block)
    header = struct.pack(">I4sI4s4s4s12s4s", at, b"lcms", 0x02400000, b"mntr", space, pcs, bytes(12), b"acsp")
    header = header.ljust(68, b"\0") + xyz(0.9642, 1.0, 0.8249)[8:]
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + blocks


def xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(value * 65536)) for value in values)


@pytest.fixture(scope="session")
def swapped_profile() -> bytes:
    """An RGB profile whose red is the blue of sRGB and the other way round, gamma 2.2."""
    gamma = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256))
    return make_profile(
        b"RGB ",
        b"XYZ ",
        {
            b"rXYZ": xyz(0.1431, 0.0606, 0.7141),
            b"gXYZ": xyz(0.3851, 0.7169, 0.0971),
            b"bXYZ": xyz(0.4360, 0.2225, 0.0139),
            b"rTRC": gamma,
            b"gTRC": gamma,
            b"bTRC": gamma,
        },
    )


@pytest.fixture(scope="session")
def colourless_ink_profile() -> bytes:
    """A CMYK profile in which all inks are grey: lightness falls with their sum, a and b stay neutral."""
    ramp = bytes(range(256))
    nodes = bytearray()
    for node in range(16):
        nodes += bytes([round(255 * (1 - node.bit_count() / 4)), 128, 128])
    matrix = struct.pack(">9i", *(65536 if i % 4 == 0 else 0 for i in range(9)))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + bytes(nodes) + ramp * 3
    return make_profile(b"CMYK", b"Lab ", {b"A2B0": lut})
