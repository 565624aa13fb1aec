"""Cells to a product: what counts as the address of a picture, and what is wrong with a product that has none."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from imgguard.errors import InputError
from imgguard.feeds.records import Picture, Problem, Product

LONGEST_URL = 2_000
LONGEST_ID, LONGEST_TITLE = 200, 500
MOST_PICTURES = 100
"""Of one product, repeated and broken ones too. Google takes eleven."""

_BETWEEN = re.compile(r"\s+|[;|,](?=https?://|//)", re.IGNORECASE)
"""What stands between two addresses. A comma within one stays: only one before the next address separates."""

_ADDRESS = re.compile(r"(?:https?:)?//[^/?#\s]", re.IGNORECASE)
_LONGEST_SHOWN = 200
_MOST_PARTS = 2 * MOST_PICTURES
"""Of a cell: as many addresses as may be, and a mark between every two."""


def is_address(text: str) -> bool:
    """Whether it begins like the address of something on the web."""
    return _ADDRESS.match(text) is not None


def product_of(
    number: int, given: Iterable[tuple[str, str]], *, id: str, title: str, link: str, needs_id: bool
) -> Product:
    """``given``: columns and cells of pictures, in order. ``needs_id``: a product without an id has a problem, and its
    pictures are not looked at. Raises InputError when there are too many."""
    shown = _tidy(id, LONGEST_ID)
    has_id = bool(shown) or not needs_id
    pictures = _numbered(number, given) if has_id else ()
    problem = Problem.NO_ID if not has_id else None if pictures else Problem.NO_PICTURE
    return Product(
        number=number,
        id=shown,
        title=_tidy(title, LONGEST_TITLE),
        link=link.strip() if is_address(link.strip()) and len(link) <= LONGEST_URL else "",
        pictures=pictures,
        problem=problem,
    )


def too_many_pictures(number: int) -> InputError:
    """Of the product at ``number``."""
    return InputError(
        f"the product at {number} has more than {MOST_PICTURES} pictures, the limit",
        hint="Leave out those that are empty, repeated, or no pictures.",
    )


def _numbered(number: int, given: Iterable[tuple[str, str]]) -> tuple[Picture, ...]:
    found = (picture for column, cell in given for picture in _pictures(number, column, cell))
    pictures = tuple(
        Picture(url=url, column=column, position=position, problem=problem)
        for position, (url, column, problem) in enumerate(islice(found, MOST_PICTURES + 1), 1)
    )
    if len(pictures) > MOST_PICTURES:
        raise too_many_pictures(number)
    return pictures


def _pictures(number: int, column: str, cell: str) -> Iterator[tuple[str, str, Problem | None]]:
    pieces = [part.strip(";,|") for part in _BETWEEN.split(cell.strip(), maxsplit=_MOST_PARTS)]
    if not any(map(is_address, pieces)):
        pieces = [" ".join(cell.split())]  # one remark, and not as many as it has words
    elif len(pieces) > _MOST_PARTS:
        raise too_many_pictures(number)
    for piece in filter(None, pieces):
        if not is_address(piece) or not piece.isprintable():
            yield _tidy(piece, _LONGEST_SHOWN), column, Problem.NOT_A_URL
        elif len(url := f"https:{piece}" if piece.startswith("//") else piece) > LONGEST_URL:
            yield _tidy(piece, _LONGEST_SHOWN), column, Problem.URL_TOO_LONG
        else:
            yield url, column, None


def _tidy(text: str, longest: int) -> str:
    """In one line, without what cannot be seen."""
    shown = " ".join(text.split())[:longest]
    if not shown.isprintable():
        shown = "".join(character for character in shown if character.isprintable())
    return shown.strip()
