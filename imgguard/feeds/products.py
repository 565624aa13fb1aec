"""Cells to a product: what counts as the address of a picture, and what is wrong with a product that has none."""

import re
from collections.abc import Iterable

from imgguard.feeds.records import Picture, Problem, Product

LONGEST_URL = 2_000
LONGEST_ID, LONGEST_TITLE = 200, 500

_BETWEEN = re.compile(r"\s+|[;|,](?=https?://|//)", re.IGNORECASE)
"""What stands between two addresses. A comma within one stays: only one before the next address separates."""

_ADDRESS = re.compile(r"(?:https?:)?//[^/?#\s]", re.IGNORECASE)
_LONGEST_SHOWN = 200


def is_address(text: str) -> bool:
    """Whether it begins like the address of something on the web."""
    return _ADDRESS.match(text) is not None


def product_of(
    number: int, given: Iterable[tuple[str, str]], *, id: str, title: str, link: str, needs_id: bool
) -> Product:
    """``given``: columns and cells of pictures, in order. ``needs_id``: a product without an id has a problem."""
    pictures = [picture for column, cell in given for picture in _pictures(column, cell)]
    numbered = tuple(
        Picture(url=url, column=column, position=position, problem=problem)
        for position, (url, column, problem) in enumerate(pictures, 1)
    )
    shown = _tidy(id, LONGEST_ID)
    problem = Problem.NO_ID if needs_id and not shown else None if numbered else Problem.NO_PICTURE
    return Product(
        number=number,
        id=shown,
        title=_tidy(title, LONGEST_TITLE),
        link=link.strip() if is_address(link.strip()) and len(link) <= LONGEST_URL else "",
        pictures=() if problem is Problem.NO_ID else numbered,
        problem=problem,
    )


def _pictures(column: str, cell: str) -> Iterable[tuple[str, str, Problem | None]]:
    if not any(map(is_address, pieces := [part.strip(";,|") for part in _BETWEEN.split(cell.strip())])):
        pieces = [" ".join(cell.split())]  # one remark, and not as many as it has words
    for piece in filter(None, pieces):
        if not is_address(piece) or not piece.isprintable():
            yield _tidy(piece, _LONGEST_SHOWN), column, Problem.NOT_A_URL
        elif len(url := f"https:{piece}" if piece.startswith("//") else piece) > LONGEST_URL:
            yield _tidy(piece, _LONGEST_SHOWN), column, Problem.URL_TOO_LONG
        else:
            yield url, column, None


def _tidy(text: str, longest: int) -> str:
    """In one line, without what cannot be seen."""
    shown = " ".join(text.split())
    return "".join(character for character in shown[:longest] if character.isprintable()).strip()
