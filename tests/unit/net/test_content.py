"""What bytes are, by their content."""

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imgguard.errors import FetchFailed
from imgguard.net.content import UNKNOWN, check_content, media_type_of
from imgguard.ports import Accept

XML, JSON, TEXT, HTML = "application/xml", "application/json", "text/plain", "text/html"


@pytest.mark.parametrize("plugin", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("side", [1, 40])
def test_pictures(plugin: str, side: int) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (side, side), (65, 66, 67)).save(stream, plugin)
    assert check_content(stream.getvalue(), Accept.IMAGE) == f"image/{plugin.lower()}"
    with pytest.raises(FetchFailed, match="not an accepted feed"):
        check_content(stream.getvalue(), Accept.FEED)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b'<?xml version="1.0"?><rss version="2.0">', XML),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <html> -->\n<feed>", XML),
        ("\ufeff<?xml version='1.0' encoding='utf-16'?><rss>".encode("utf-16-le"), XML),
        (b"<?xml version='1.0'?>", XML),
        (b"<products>", XML),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C">', HTML),
        (b"\n <!doctype HTML>", HTML),
        (b"<HTML lang=en>", HTML),
        (b"<head>", HTML),
        (b"<headline>", XML),
        (b'  [{"id": 1}]', JSON),
        (b'{"id": 1}\n{"id": 2}', JSON),
        (b"BMX,price\nred,100\n", TEXT),
        (b"id\timage_link\n1\thttps://a/\n", TEXT),
        ("größe;preis\n".encode("latin-1"), TEXT),
        (b"GIF89a/*<script>*/", TEXT),
        (b"%PDF-1.7\n", "application/pdf"),
        (gzip.compress(b"<rss>", mtime=0), "application/gzip"),
        (b"PK\x03\x04rest", "application/zip"),
        (b"\x7fELF\x02\x01", UNKNOWN),
        (b"a,b\0", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_everything_else(data: bytes, media_type: str) -> None:
    assert check_content(data, Accept.ANYTHING) == media_type
    if media_type in (XML, JSON, TEXT):
        assert check_content(data, Accept.FEED) == media_type
    else:
        with pytest.raises(FetchFailed, match="not an accepted feed"):
            check_content(data, Accept.FEED)
    with pytest.raises(FetchFailed, match="not an accepted image"):
        check_content(data, Accept.IMAGE)


@given(st.binary(max_size=200) | st.text(alphabet="<?!->\ufeff \nhtml", max_size=200).map(str.encode))
def test_any_bytes_are_something(data: bytes) -> None:
    assert "/" in media_type_of(data)


def test_a_prologue_built_to_be_slow() -> None:
    for part in (b"<?", b"<!--", b" <?a?>", b"<!---->", b"\n \t"):
        assert media_type_of(part * 100_000) in (XML, TEXT)
