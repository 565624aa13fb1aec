"""Bytes -> products, whatever the form. Read this first."""

from collections.abc import Iterator

from imgguard.errors import InputError
from imgguard.feeds import markup, tables
from imgguard.feeds.records import Encoding, Form, Product, Reading
from imgguard.feeds.text import beginning, encoding_of

MOST_PICTURES = 200_000
"""Of a feed, repeated and broken ones too: each is a line of the result."""


def read(data: bytes, *, form: Form | None = None, encoding: Encoding | None = None) -> Reading:
    """Read a feed. What is not given is found: the encoding from its mark or its XML declaration, else it is UTF-8;
    the form from the names of its columns or elements.

    The same bytes with the ``form`` and ``encoding`` of the answer give the same products. Raises InputError, also
    while the products are read.
    """
    found = encoding_of(data, encoding)
    if not beginning(data, found).startswith("<"):
        chosen, products = tables.read(data, found, form)
        return Reading(form=chosen, encoding=found, products=_within(products))
    if form not in (None, Form.GOOGLE):
        raise InputError(f"the feed is XML, which no feed of the form {form} is", hint="Leave the form out.")
    return Reading(form=Form.GOOGLE, encoding=found, products=_within(markup.read(data, found)))


def _within(products: Iterator[Product]) -> Iterator[Product]:
    """``products``. Raises InputError where they have more pictures than may be."""
    pictures = 0
    for product in products:
        pictures += len(product.pictures)
        if pictures > MOST_PICTURES:
            raise InputError(
                f"the feed has more than {MOST_PICTURES} pictures, the limit; repeated ones count",
                hint="Make several feeds of it.",
            )
        yield product
