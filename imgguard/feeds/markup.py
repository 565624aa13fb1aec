"""XML feeds of Google Merchant: RSS 2.0 and Atom, read as a stream, without a tree.

1. there is no document type, and so no entity and nothing external: it is refused where it begins (defusedxml);
2. depth, the numbers of elements and attributes, of their names and of pictures, length of what is kept and of a single
   tag are bounded;
3. only the children of `item` and `entry` are looked at, with the namespaces of Google, Atom, or none.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from imgguard.errors import InputError
from imgguard.feeds.columns import NAMES, key_of
from imgguard.feeds.products import MOST_PICTURES, product_of, too_many_pictures
from imgguard.feeds.records import Encoding, Form, Product
from imgguard.feeds.tables import LONGEST_CELL, LONGEST_ROW, MOST_ROWS
from imgguard.feeds.text import checked, opened

MOST_ELEMENTS = 1_000_000
"""Attributes and namespaces count as well."""

MOST_NAMES = 10_000
"""Different ones, of elements, attributes and namespaces: the parser keeps each to the end."""

DEEPEST = 32

_CHUNK = 65_536
_GOOGLE = "http://base.google.com/ns/1.0"
_NAMESPACES = frozenset({"", _GOOGLE, "http://base.google.com/cns/1.0", "http://www.w3.org/2005/Atom"})
_PRODUCTS = frozenset({"item", "entry"})
_NAMES = NAMES[Form.GOOGLE]
_FIELDS = {"id": "id", "title": "title", "link": "link"}
_SMALLER = "Make several feeds of it."


@dataclass(slots=True)
class _Draft:
    """A product whose end has not come yet. What is in Google's namespace wins over the feed's own fields."""

    depth: int
    fields: dict[str, tuple[bool, str]] = field(default_factory=dict)
    pictures: list[tuple[str, str]] = field(default_factory=list)
    length: int = 0

    def put(self, name: str, text: str, *, is_google: bool) -> None:
        if text and (name not in self.fields or (is_google and not self.fields[name][0])):
            self.fields[name] = is_google, text

    def text(self, name: str) -> str:
        return self.fields.get(name, (False, ""))[1]


class _Target:
    """What the parser tells goes here. ``events`` counts it, besides namespaces."""

    def __init__(self) -> None:
        self.finished: list[Product] = []
        self.events = 0
        self._elements = self._depth = self._products = 0
        self._names: set[str] = set()
        self._draft: _Draft | None = None
        self._wanted: str | None = None
        self._text: list[str] = []

    def start_ns(self, prefix: str, _address: str) -> None:
        self._count(prefix)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.events += 1
        self._depth += 1
        self._count(tag, *attributes)
        if self._depth > DEEPEST:
            raise InputError(f"the feed is nested more than {DEEPEST} deep", hint="It is no feed of products.")
        name, namespace = _parted(tag)
        if self._draft is None:
            if name in _PRODUCTS:
                self._draft = _Draft(depth=self._depth)
            return
        self._wanted = None
        if self._depth == self._draft.depth + 1 and namespace in _NAMESPACES:
            if name in _FIELDS or key_of(name) in _NAMES.pictures:
                self._wanted, self._text = name, []
            if name == "link" and attributes.get("rel", "alternate") == "alternate":
                self._draft.put("link", attributes.get("href", ""), is_google=False)

    def _count(self, *names: str) -> None:
        self._elements += len(names)
        self._names.update(names)
        if self._elements > MOST_ELEMENTS:
            raise InputError(f"the feed has more than {MOST_ELEMENTS} elements and attributes", hint=_SMALLER)
        if len(self._names) > MOST_NAMES:
            hint = "It is no feed of products."
            raise InputError(f"the feed has more than {MOST_NAMES} names of elements and attributes", hint=hint)

    def data(self, text: str) -> None:
        self.events += 1
        if self._wanted is not None and self._draft is not None:
            self._text.append(text)
            self._draft.length += len(text)
            if self._draft.length > LONGEST_CELL:
                raise InputError(f"a product has more than {LONGEST_CELL} characters of text", hint=_SMALLER)

    def end(self, tag: str) -> None:
        self.events += 1
        self._depth -= 1
        draft = self._draft
        if draft is None:
            return
        if self._depth < draft.depth:
            self._finish(draft)
        elif self._wanted is not None and self._depth == draft.depth:
            name, namespace = _parted(tag)
            text = "".join(self._text).strip()
            if name in _FIELDS:
                draft.put(name, text, is_google=namespace == _GOOGLE)
            else:
                draft.pictures.append((name, text))
                if len(draft.pictures) > MOST_PICTURES:
                    raise too_many_pictures(self._products + 1)
            self._wanted = None

    def _finish(self, draft: _Draft) -> None:
        self._draft = None
        self._products += 1
        if self._products > MOST_ROWS:
            raise InputError(f"the feed has more than {MOST_ROWS} products, the limit", hint=_SMALLER)
        product = product_of(
            self._products,
            draft.pictures,
            id=draft.text("id"),
            title=draft.text("title"),
            link=draft.text("link"),
            needs_id=True,
        )
        self.finished.append(product)

    def close(self) -> None:
        if not self._products:
            raise InputError("there is no product in the feed", hint="Products are `item` in RSS and `entry` in Atom.")


def _parted(tag: str) -> tuple[str, str]:
    """Name and namespace."""
    namespace, _, name = tag.rpartition("}")
    return name, namespace.removeprefix("{").rstrip("/")


def read(data: bytes, encoding: Encoding) -> Iterator[Product]:
    """The products, as they are asked for. Raises InputError while they are read."""
    target = _Target()
    parser = DefusedXMLParser(target=target, encoding="utf-8", forbid_dtd=True)
    try:
        with opened(data, encoding) as file:
            unheard = 0
            while chunk := checked(file.read(_CHUNK)):
                before = target.events
                parser.feed(chunk.encode())
                unheard = 0 if target.events > before else unheard + len(chunk)
                if unheard > LONGEST_ROW:  # the parser keeps it all, and looks at it again with each chunk
                    raise InputError(f"a tag or comment has more than {LONGEST_ROW} characters", hint="Leave it out.")
                yield from target.finished
                target.finished.clear()
            parser.close()
    except DefusedXmlException as error:
        raise InputError("the feed has a document type, which is not read", hint="Leave out <!DOCTYPE ...>.") from error
    except ParseError as error:
        raise InputError(f"the feed is not well-formed XML: {error}", hint="Export it again.") from error
    yield from target.finished
