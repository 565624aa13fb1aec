"""XML feeds: RSS and Atom, and what is built to break their reader."""

import time
import tracemalloc

import pytest

from imgguard.errors import InputError
from imgguard.feeds import markup
from imgguard.feeds.reading import read
from imgguard.feeds.records import Encoding, Form, Problem, Product

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">
 <channel>
  <title>A shop</title><link>https://shop.example</link><image><url>https://shop.example/logo.png</url></image>
  <item>
   <title>Own title</title><link>https://shop.example/1</link><description>&lt;b&gt;Blue&lt;/b&gt;</description>
   <g:id>SKU-1</g:id><g:title>Dress &amp; belt</g:title>
   <g:image_link> https://cdn.example/1.jpg </g:image_link>
   <g:additional_image_link><![CDATA[https://cdn.example/1b.jpg?a=1&b=2]]></g:additional_image_link>
   <g:additional_image_link>https://cdn.example/1c.jpg</g:additional_image_link>
   <g:shipping><g:id>not this</g:id><g:image_link>https://cdn.example/no.jpg</g:image_link></g:shipping>
  </item>
  <item><g:id/><g:image_link>https://cdn.example/2.jpg</g:image_link></item>
  <item><g:id>SKU-3</g:id></item>
 </channel>
</rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
 <title>A shop</title>
 <entry><id>tag:1</id><title>Hat</title><link rel="enclosure" href="https://no.example"/>
  <link href="https://shop.example/hat"/><g:id>H</g:id><g:image_link>https://cdn.example/h.jpg</g:image_link></entry>
</feed>"""
BARE = "<rss><channel><item><id>1</id><title>Cup</title><link>http://s/1</link><image_link>http://c/1.jpg</image_link></item></channel></rss>"


def products(text: str | bytes) -> list[Product]:
    return list(read(text if isinstance(text, bytes) else text.encode()).products)


def test_rss() -> None:
    dress, nameless, bare = products(RSS)
    assert (dress.number, dress.id, dress.title) == (1, "SKU-1", "Dress & belt")
    assert dress.link == "https://shop.example/1"
    assert [(picture.url, picture.column, picture.position) for picture in dress.pictures] == [
        ("https://cdn.example/1.jpg", "image_link", 1),
        ("https://cdn.example/1b.jpg?a=1&b=2", "additional_image_link", 2),
        ("https://cdn.example/1c.jpg", "additional_image_link", 3),
    ]
    assert (nameless.number, nameless.problem, nameless.pictures) == (2, Problem.NO_ID, ())
    assert (bare.number, bare.problem) == (3, Problem.NO_PICTURE)


def test_atom() -> None:
    (hat,) = products(ATOM)
    assert (hat.id, hat.title, hat.link) == ("H", "Hat", "https://shop.example/hat")
    assert [picture.url for picture in hat.pictures] == ["https://cdn.example/h.jpg"]


def test_without_namespaces() -> None:
    (cup,) = products(BARE)
    assert (cup.id, cup.title, cup.link, len(cup.pictures)) == ("1", "Cup", "http://s/1", 1)


def test_elements_of_other_namespaces_are_not_googles() -> None:
    text = BARE.replace("<image_link>", '<image_link xmlns="http://other.example/">')
    assert products(text)[0].problem is Problem.NO_PICTURE


@pytest.mark.parametrize("name", ["gb18030", "GBK", "gb2312"])
def test_the_encoding_that_xml_declares_counts(name: str) -> None:
    text = f'<?xml version="1.0" encoding="{name}"?>' + BARE.replace("Cup", "杯子")
    reading = read(text.encode("gb18030"))
    assert (reading.encoding, reading.form) == (Encoding.GB18030, Form.GOOGLE)
    assert [product.title for product in reading.products] == ["杯子"]


def test_utf_16_with_its_mark() -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?>' + BARE.replace("Cup", "杯子")
    assert [product.title for product in products(text.encode("utf-16"))] == ["杯子"]


def test_an_encoding_that_is_not_read() -> None:
    with pytest.raises(InputError, match="shift_jis"):
        products(b'<?xml version="1.0" encoding="Shift_JIS"?><rss/>')


def test_xml_of_another_form() -> None:
    with pytest.raises(InputError, match="XML"):
        read(BARE.encode(), form=Form.ALIEXPRESS)


LAUGHS = '<!DOCTYPE r [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = {
    "billion laughs": LAUGHS + "]><rss><item><id>&i;</id></item></rss>",
    "quadratic": f'<!DOCTYPE r [<!ENTITY a "{"a" * 50_000}">]><rss><item><id>{"&a;" * 50_000}</id></item></rss>',
    "external entity": '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><item><id>&x;</id></item></rss>',
    "external document type": '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><rss/>',
    "parameter entity": '<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]><rss/>',
    "unknown entity": "<rss><item><id>&x;</id></item></rss>",
    "deep": "<rss>" + "<a>" * 100_000,
    "huge attribute": '<rss><item a="' + "b" * 20_000_000 + '"/></rss>',
    "huge name": "<rss><" + "b" * 20_000_000,
    "huge comment": "<rss><!--" + "b" * 20_000_000,
    "much text": "<rss><item><title>" + "b" * 200_000 + "</title></item></rss>",
    "many pictures": "<rss><item>" + "<image_link>http://a/1</image_link>" * 20_000 + "</item></rss>",
    "empty pictures": "<rss><item>" + "<image_link/>" * 1_000_000 + "</item></rss>",
    "pictures in one": "<rss><item><id>1</id><image_link>" + "//a " * 20_000 + "</image_link></item></rss>",
    "names of elements": "<rss>" + "".join(f"<a{number}/>" for number in range(50_000)) + "</rss>",
    "names of attributes": f"<rss {' '.join(f'a{number}=""' for number in range(50_000))}/>",
    "namespaces": f"<rss {' '.join(f'xmlns:a{number}="b"' for number in range(20_000))}/>",
    "attributes": "<rss>" + f"<a {' '.join(f'a{number}=""' for number in range(5000))}/>" * 250 + "</rss>",
    "cut off": "<rss><item><id>1</id>",
    "not closed": "<rss><item></rss>",
    "two roots": "<rss/><rss/>",
    "NUL": "<rss>\0</rss>",
    "no product": "<rss><channel/></rss>",
    "a page": "<html><body>Hello</body></html>",
    "an empty tag": "<",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_built_to_break_the_reader(text: str) -> None:
    data = text.encode()
    tracemalloc.start()
    begun = time.monotonic()
    try:
        with pytest.raises(InputError) as caught:
            products(data)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 30_000_000
    assert time.monotonic() - begun < 20
    assert len(caught.value.detail) < 300
    assert "root:" not in caught.value.detail


def test_a_large_feed_is_read_in_little_memory() -> None:
    item = "<item><id>1</id><description>" + "d" * 5000 + "</description><image_link>http://a/1</image_link></item>"
    data = ("<rss>" + item * 2000 + "</rss>").encode()
    tracemalloc.start()
    try:
        assert sum(1 for _ in read(data).products) == 2000
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 5_000_000 < len(data)


def test_as_much_as_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "MOST_ROWS", 1)
    assert len(products(BARE)) == 1
    two = BARE.replace("</channel>", "<item/></channel>")
    with pytest.raises(InputError, match="more than 1 products"):
        products(two)
    monkeypatch.setattr(markup, "MOST_ELEMENTS", 6)
    with pytest.raises(InputError, match="more than 6 elements"):
        products(BARE)


@pytest.mark.parametrize(
    "picture", ["<image_link/>", "<image_link>no address</image_link>", "<image_link>//a</image_link>"]
)
def test_as_many_pictures_of_a_product_as_may_be(picture: str) -> None:
    item = f"<rss><item/><item><id>1</id>{picture * 100}</item></rss>"
    assert len(products(item)[1].pictures) in (0, 100)
    with pytest.raises(InputError, match="product at 2 has more than 100 pictures"):
        products(item.replace("</item></rss>", f"{picture}</item></rss>"))
