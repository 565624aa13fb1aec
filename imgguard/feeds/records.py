"""What a feed holds: products, and where their pictures are."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """How a feed is made. docs/feeds.md has the columns of each."""

    GOOGLE = "google"
    ALIEXPRESS = "aliexpress"
    ALIBABA = "alibaba"
    GENERIC = "generic"


class Encoding(StrEnum):
    """Of the text of a feed. The last two are never guessed: any bytes make some text in them."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    GB18030 = "gb18030"
    WINDOWS_1252 = "windows-1252"


class Problem(StrEnum):
    """Why a product, or one of its pictures, is passed over."""

    NO_ID = "no_id"
    NO_PICTURE = "no_picture"
    NOT_A_URL = "not_a_url"
    URL_TOO_LONG = "url_too_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """``url`` as it is to be fetched, or what stood in its place when there is a ``problem``. ``column``: the column or
    element it is from; ``position`` counts the pictures of the product, from 1."""

    url: str
    column: str
    position: int
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """``number``: the line it begins at, in XML its place among the products, from 1. ``id``, ``title`` and ``link``
    are empty where there is none. One with a ``problem`` has no pictures to check."""

    number: int
    id: str
    title: str
    link: str
    pictures: tuple[Picture, ...]
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A feed that is being read: how, and its ``products``, in order. They are read as they are asked for, which raises
    InputError where the feed is broken."""

    form: Form
    encoding: Encoding
    products: Iterator[Product]
