"""Bytes -> products, whatever the form. Read this first."""

from imgguard.errors import InputError
from imgguard.feeds import markup, tables
from imgguard.feeds.records import Encoding, Form, Reading
from imgguard.feeds.text import beginning, encoding_of


def read(data: bytes, *, form: Form | None = None, encoding: Encoding | None = None) -> Reading:
    """Read a feed. What is not given is found: the encoding from its mark or its XML declaration, else it is UTF-8;
    the form from the names of its columns or elements.

    The same bytes with the ``form`` and ``encoding`` of the answer give the same products. Raises InputError, also
    while the products are read.
    """
    found = encoding_of(data, encoding)
    if not beginning(data, found).startswith("<"):
        chosen, products = tables.read(data, found, form)
        return Reading(form=chosen, encoding=found, products=products)
    if form not in (None, Form.GOOGLE):
        raise InputError(f"the feed is XML, which no feed of the form {form} is", hint="Leave the form out.")
    return Reading(form=Form.GOOGLE, encoding=found, products=markup.read(data, found))
