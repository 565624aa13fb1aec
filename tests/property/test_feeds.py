"""Whatever bytes are handed in as a feed: products within the limits, or an error that says what is wrong."""

import csv
import io

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from imgguard.errors import InputError
from imgguard.feeds.products import LONGEST_ID, LONGEST_TITLE, LONGEST_URL
from imgguard.feeds.reading import read
from imgguard.feeds.records import Encoding, Form
from imgguard.services.spreadsheets import csv_text, harmless

forms = st.none() | st.sampled_from(Form)
encodings = st.none() | st.sampled_from(Encoding)
words = st.sampled_from(
    [
        "id",
        "image_link",
        "Product ID",
        "主图",
        "photo",
        "http://a/1.jpg",
        "//b",
        "",
        '"',
        "=1",
        "\n",
        "\r",
        "\0",
        "é",
        "\ufeff",
    ]
)
tags = st.sampled_from(["<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&x;", "<!DOCTYPE", "<?xml?>", "<a", "'", ">"])
tags |= st.sampled_from(["rss", "item", "entry", "id", "image_link"]).map("<{}>".format)
tags |= st.sampled_from(["rss", "item", "entry", "id", "image_link"]).map("</{}>".format) | st.just("http://a/1.jpg")
tables = st.lists(st.lists(words, max_size=6), max_size=6).flatmap(
    lambda rows: st.sampled_from(",;\t|").map(lambda between: "\n".join(map(between.join, rows)))
)
texts = tables | st.lists(tags, max_size=30).map("".join) | st.text(max_size=300)
data = st.binary(max_size=300) | st.tuples(texts, st.sampled_from(["utf-8", "utf-16", "gb18030"])).map(
    lambda given: given[0].encode(given[1], "surrogatepass" if given[1] != "gb18030" else "replace")
)


@settings(max_examples=600, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(data, forms, encodings)
@example(b"\xff\xfe", None, None)
@example(b"\xff\xfe<", None, None)
@example(b"\xef\xbb\xbf", None, None)
@example(b"<?xml encoding='utf-16'?><rss/>", None, None)
@example(b"image\n\xed\xa0\x80", None, None)
def test_products_or_a_typed_error(data: bytes, form: Form | None, encoding: Encoding | None) -> None:
    try:
        reading = read(data, form=form, encoding=encoding)
        found = list(reading.products)
    except InputError:
        return
    assert form in (None, reading.form)
    assert list(read(data, form=reading.form, encoding=reading.encoding).products) == found
    for product in found:
        assert len(product.id) <= LONGEST_ID
        assert len(product.title) <= LONGEST_TITLE
        assert product.pictures or product.problem is not None
        assert [picture.position for picture in product.pictures] == list(range(1, len(product.pictures) + 1))
        for picture in product.pictures:
            assert picture.url.isprintable()
            assert len(picture.url) <= LONGEST_URL
            is_address = picture.url.lower().startswith(("http://", "https://"))
            assert is_address or picture.problem is not None


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2)))
def test_a_table_is_read_back_and_runs_nothing(rows: list[list[str]]) -> None:
    text = "".join(csv_text(["a", "b"], rows))
    found = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))[1:]
    assert found == [[harmless(cell) for cell in row] for row in rows]
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for row in found for cell in row)
