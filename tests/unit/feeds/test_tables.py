"""Tables: Google's columns, exports of AliExpress and Alibaba, and any other table with pictures."""

import re
from pathlib import Path

import pytest

from imgguard.errors import InputError
from imgguard.feeds import columns, reading, tables
from imgguard.feeds.reading import read
from imgguard.feeds.records import Encoding, Form, Problem, Product

DOCS = Path(__file__).parents[3] / "docs" / "feeds.md"

GOOGLE = """\
id,title,description,link,image_link,additional_image_link,lifestyle_image_link,price
SKU-1,"Dress, blue","Two
lines",https://shop.example/1,https://cdn.example/1.jpg,"https://cdn.example/1b.jpg,https://cdn.example/1%2Cc.jpg",,19
SKU-2,Hat,,https://shop.example/2,https://cdn.example/2.jpg,,https://cdn.example/2-worn.jpg,9.00 EUR
"""
ALIEXPRESS = """\
Product ID,Product Title,Product Detail URL,Product Main Image URL,Product Small Image URLs,Commission Rate
1005001,Phone case,https://www.aliexpress.com/item/1005001.html,//ae01.alicdn.com/kf/a.jpg,https://ae01.alicdn.com/kf/b.jpg;https://ae01.alicdn.com/kf/c.jpg;,7.0%
"""
ALIBABA = """\
产品ID;产品名称;产品链接;主图;产品图片2;起订量
62001;不锈钢杯子;https://detail.1688.com/offer/62001.html;https://cbu01.alicdn.com/a.jpg;https://cbu01.alicdn.com/b.jpg|https://cbu01.alicdn.com/c.jpg;100
"""


def products(text: str | bytes, **more: object) -> list[Product]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(read(data, **more).products)  # type: ignore[arg-type]


def urls(product: Product) -> list[str]:
    return [picture.url for picture in product.pictures]


def test_google() -> None:
    dress, hat = products(GOOGLE)
    assert read(GOOGLE.encode()).form is Form.GOOGLE
    assert (dress.number, dress.id, dress.title, dress.link) == (2, "SKU-1", "Dress, blue", "https://shop.example/1")
    told = [(picture.url, picture.column, picture.position) for picture in dress.pictures]
    assert told == [
        ("https://cdn.example/1.jpg", "image_link", 1),
        ("https://cdn.example/1b.jpg", "additional_image_link", 2),
        ("https://cdn.example/1%2Cc.jpg", "additional_image_link", 3),
    ]
    assert (hat.number, urls(hat)) == (4, ["https://cdn.example/2.jpg", "https://cdn.example/2-worn.jpg"])
    assert hat.pictures[1].column == "lifestyle_image_link"


def test_google_with_tabs_and_spaced_names() -> None:
    text = 'ID\tTitle\tImage Link\tadditional image link\nA\tCup 3" wide\thttps://c.example/1.jpg\thttps://c.example/2.jpg\n'
    (cup,) = products(text)
    assert (cup.id, cup.title, len(cup.pictures)) == ("A", 'Cup 3" wide', 2)
    assert read(text.encode()).form is Form.GOOGLE


def test_aliexpress() -> None:
    (case,) = products(ALIEXPRESS)
    assert read(ALIEXPRESS.encode()).form is Form.ALIEXPRESS
    assert (case.id, case.title) == ("1005001", "Phone case")
    assert case.link == "https://www.aliexpress.com/item/1005001.html"
    assert urls(case) == [
        "https://ae01.alicdn.com/kf/a.jpg",
        "https://ae01.alicdn.com/kf/b.jpg",
        "https://ae01.alicdn.com/kf/c.jpg",
    ]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (ALIBABA.encode(), None),
        (ALIBABA.encode("utf-8-sig"), None),
        (ALIBABA.encode("utf-16"), None),
        (b"\xfe\xff" + ALIBABA.encode("utf-16-be"), None),
        (ALIBABA.encode("utf-16-le"), Encoding.UTF_16),
        (ALIBABA.encode("gb18030"), Encoding.GB18030),
    ],
    ids=["utf-8", "with a mark", "utf-16", "big-endian", "utf-16 without a mark", "gb18030"],
)
def test_alibaba_in_chinese(data: bytes, encoding: Encoding | None) -> None:
    reading = read(data, encoding=encoding)
    assert reading.form is Form.ALIBABA
    (cup,) = reading.products
    assert (cup.id, cup.title) == ("62001", "不锈钢杯子")
    assert [name.rpartition("/")[2] for name in urls(cup)] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [picture.column for picture in cup.pictures] == ["主图", "产品图片2", "产品图片2"]


def test_windows_1252_by_request() -> None:
    data = "id;title;image_link\n1;Größe;http://a.example/1.jpg\n".encode("cp1252")
    (product,) = products(data, encoding=Encoding.WINDOWS_1252)
    assert product.title == "Größe"
    with pytest.raises(InputError, match="not text in utf-8") as caught:
        products(data)
    assert "windows-1252" in caught.value.advice


def test_another_mark_than_the_encoding_that_was_named() -> None:
    with pytest.raises(InputError, match="mark of utf-8"):
        products(ALIBABA.encode("utf-8-sig"), encoding=Encoding.GB18030)


GENERIC = "\n".join(
    ["Handle|Foto alt text image|Bild (picture)|Photo", *["cup|blue cup|http://a.example/1.jpg|"] * 3, "hat|x|none|"]
)


def test_any_table_with_pictures() -> None:
    reading = read(GENERIC.encode())
    found = list(reading.products)
    assert reading.form is Form.GENERIC
    assert [(product.id, urls(product)) for product in found[:1]] == [("cup", ["http://a.example/1.jpg"])]
    assert [picture.problem for picture in found[3].pictures] == [Problem.NOT_A_URL]
    assert {picture.column for product in found for picture in product.pictures} == {"Bild (picture)"}


def test_a_form_that_was_named_counts() -> None:
    text = "id,image_link,my picture\n1,http://a.example/1.jpg,http://a.example/2.jpg\n"
    assert urls(products(text, form=Form.GENERIC)[0]) == ["http://a.example/1.jpg", "http://a.example/2.jpg"]
    assert urls(products(text, form=Form.GOOGLE)[0]) == ["http://a.example/1.jpg"]
    with pytest.raises(InputError, match="no column of the feed holds pictures"):
        products(text, form=Form.ALIBABA)


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_delimiters(delimiter: str) -> None:
    text = delimiter.join(["id", "title", "image_link"]) + "\r\n" + delimiter.join(["1", "a b", "http://a.example/1"])
    (product,) = products(text)
    assert (product.id, product.title, urls(product)) == ("1", "a b", ["http://a.example/1"])


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("http://a/1.jpg;http://a/2.jpg", ["http://a/1.jpg", "http://a/2.jpg"]),
        ("http://a/1.jpg | http://a/2.jpg ,", ["http://a/1.jpg", "http://a/2.jpg"]),
        ("http://a/1.jpg\nHTTPS://a/2.jpg", ["http://a/1.jpg", "HTTPS://a/2.jpg"]),
        ("http://a/1.jpg http://a/2.jpg", ["http://a/1.jpg", "http://a/2.jpg"]),
        ("//a/1.jpg,//a/2.jpg", ["https://a/1.jpg", "https://a/2.jpg"]),
        ("http://a/1,2.jpg?x=1;y=2", ["http://a/1,2.jpg?x=1;y=2"]),
    ],
)
def test_several_addresses_in_a_cell(cell: str, wanted: list[str]) -> None:
    (product,) = products(f'id,image_link\n1,"{cell}"\n')
    assert urls(product) == wanted
    assert all(picture.problem is None for picture in product.pictures)


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("ftp://a/1.jpg", Problem.NOT_A_URL),
        ("javascript:alert(1)", Problem.NOT_A_URL),
        ("C:\\pictures\\1.jpg", Problem.NOT_A_URL),
        ("http://", Problem.NOT_A_URL),
        ("http://a/\u202e1.jpg", Problem.NOT_A_URL),
        ("http://a/" + "1" * 2000, Problem.URL_TOO_LONG),
    ],
)
def test_what_is_no_address(cell: str, problem: Problem) -> None:
    (product,) = products(f"id,image_link\n1,{cell}\n", form=Form.GOOGLE)
    assert [(picture.problem, len(picture.url) <= 200) for picture in product.pictures] == [(problem, True)]


def test_rows_that_are_broken() -> None:
    text = "id,title,image_link\n,No id,http://a/1.jpg\n2,No picture,\n3\n\n4,More,http://a/4.jpg,and,more\n"
    found = [(product.number, product.problem, len(product.pictures)) for product in products(text)]
    assert found == [
        (2, Problem.NO_ID, 0),
        (3, Problem.NO_PICTURE, 0),
        (4, Problem.NO_PICTURE, 0),
        (6, None, 1),
    ]


def test_without_a_column_of_ids_rows_have_their_numbers() -> None:
    (product,) = products("image\nhttp://a/1.jpg\n")
    assert (product.number, product.id, product.problem) == (2, "", None)


def test_texts_are_in_one_line_and_short() -> None:
    (product,) = products(f'id,title,image_link\n1\u202e,"a\n b{"c" * 600}",http://a/1.jpg\n')
    assert (product.id, product.title[:4], len(product.title)) == ("1", "a bc", 500)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"id,title\n1,Mug\n", "no column of the feed holds pictures"),
        (b'{"items": []}', "no column of the feed holds pictures"),
        (b"PK\x03\x04 sheet", "ZIP"),
        (b"\xd0\xcf\x11\xe0 sheet", "Excel"),
        (b"\x1f\x8b", "compressed"),
        (b"id,image_link\n1,http://a\0/1.jpg\n", "NUL"),
        (b"image," + b"x," * 1000 + b"\n", "1002 columns"),
        (b"id,image_link\n1," + b"x" * 100_001 + b"\n", "100000 characters"),
        (b"id,image_link\n1," + b"x" * 200_000 + b"\n", "cannot be read"),
        (b'id,image_link\n1,"http://a/1.jpg\n' + b"2,b\n" * 40_000, "cannot be read"),
        (b"id,image_link\n" + b'"a\n",' * 300_000, "1000000 characters"),
        (b"id,image_link" + b"," * 1_000_000, "1000000 characters"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        products(data)


def test_as_many_rows_as_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 3)
    rows = ["id,image_link", *["1,http://a/1.jpg"] * 3]
    assert len(products("\n".join(rows))) == 3
    with pytest.raises(InputError, match="more than 3 rows"):
        products("\n".join([*rows, "4,"]))


@pytest.mark.parametrize("between", [" ", ";", " | "])
def test_as_many_pictures_of_a_row_as_may_be(between: str) -> None:
    def row(count: int) -> list[Product]:
        return products("id,image_link\n0,//a\n1," + between.join(["//a"] * count) + "\n")

    assert [picture.position for picture in row(100)[1].pictures] == [*range(1, 101)]
    for count in (101, 300):
        with pytest.raises(InputError, match="product at 3 has more than 100 pictures"):
            row(count)


def test_broken_pictures_and_those_of_other_columns_count() -> None:
    cells = ["//a " * 50, "x //b " * 25]
    header = "id,image_link,additional_image_link\n"
    assert len(products(f"{header}1,{','.join(cells)}\n")[0].pictures) == 100
    with pytest.raises(InputError, match="more than 100 pictures"):
        products(f"{header}1,{','.join(cells)} y\n")


def test_as_many_columns_of_pictures_as_may_be() -> None:
    assert products("id" + ",image_link" * 100 + "\n1,//a\n")
    with pytest.raises(InputError, match="101 columns of pictures"):
        products("id" + ",image_link" * 101 + "\n1,//a\n")


def test_pictures_of_a_row_without_an_id_are_not_looked_at() -> None:
    (product,) = products("id,image_link\n," + "//a " * 1000 + "\n")
    assert product.problem is Problem.NO_ID


def test_as_many_pictures_in_all_as_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_PICTURES", 4)
    rows = "id,image_link\n" + "1,//a //a\n" * 2
    assert len(products(rows)) == 2
    for more in ("2,//a\n", "2,broken\n"):
        with pytest.raises(InputError, match="more than 4 pictures"):
            products(rows + more)


@pytest.mark.parametrize("line", ["\n", ",\n", '1,"\n\n"\n'])
def test_as_many_lines_as_may_be(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_LINES", 10)
    rows = "id,image_link\n1,//a\n"
    assert products(rows + "\n" * 8)
    with pytest.raises(InputError, match="more than 10 lines"):
        products(rows + line * 9)


def test_nothing_is_read_before_it_is_asked_for() -> None:
    reading = read(b"id,image_link\n" + b"1,http://a/1.jpg\n" * 3000 + b"\xff")
    assert next(reading.products).id == "1"
    with pytest.raises(InputError):
        list(reading.products)


def test_names_that_are_alike() -> None:
    keys = {columns.key_of(name) for name in ("Image URL", "image_url", "imageURL 2", " IMAGE-URL", "Ｉmage URL")}
    assert keys == {"imageurl"}
    assert columns.key_of("g:image_link") == columns.key_of("Image link")
    assert columns.key_of("2024") == "2024"


def test_the_names_are_those_of_the_documentation() -> None:
    section = DOCS.read_text(encoding="utf-8").split("## Names of columns\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    told = {(form.strip(" `"), what.strip()): set(re.findall(r"`([^`]+)`", names)) for form, what, names in rows}
    for form, names in columns.NAMES.items():
        for what in ("ids", "titles", "links", "pictures"):
            wanted = {columns.key_of(name) for name in told[form.value, what.removesuffix("s")]}
            assert wanted == getattr(names, what), (form, what)
