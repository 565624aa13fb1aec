"""CSV and its kin: the delimiter found, rows read one at a time, and every one of them within limits."""

import csv
from collections.abc import Callable, Iterator, Sequence
from io import TextIOWrapper
from itertools import chain, islice

from imgguard.errors import InputError
from imgguard.feeds import columns
from imgguard.feeds.columns import GENERIC, NAMES, Names
from imgguard.feeds.products import MOST_PICTURES, is_address, product_of
from imgguard.feeds.records import Encoding, Form, Product
from imgguard.feeds.text import checked, opened

MOST_ROWS = 100_000
MOST_LINES = 500_000
"""Empty ones too."""

MOST_COLUMNS = 1_000
LONGEST_CELL = 100_000
LONGEST_ROW = 1_000_000
"""Characters, line ends within quotation marks included."""

_DELIMITERS = ",\t;|"
_LOOKED_AT = 200
"""Rows by which it is decided which columns of a generic table hold addresses."""

type Row = tuple[int, list[str]]


class _Lines:
    """Lines for the csv module: it would read a line, or a quotation that does not end, as long as it goes."""

    def __init__(self, file: TextIOWrapper) -> None:
        self._file = file
        self._length = 0
        self.number = 0

    def begin(self) -> int:
        """A row begins; returns at which line."""
        self._length = 0
        return self.number + 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = checked(self._file.readline(LONGEST_ROW + 1))
        if not line:
            raise StopIteration
        self.number += 1
        self._length += len(line)
        if self.number > MOST_LINES:
            raise InputError(f"the feed has more than {MOST_LINES} lines, the limit", hint="Make several feeds of it.")
        if self._length > LONGEST_ROW:
            raise InputError(
                f"the row that ends behind line {self.number} has more than {LONGEST_ROW} characters",
                hint="Look for a quotation mark that is not closed.",
            )
        return line


def _rows(data: bytes, encoding: Encoding, delimiter: str) -> Iterator[Row]:
    """As `_records`, within limits."""
    for line, cells in _records(data, encoding, delimiter):
        if len(cells) > MOST_COLUMNS:
            raise InputError(f"line {line} has {len(cells)} columns, the limit is {MOST_COLUMNS}", hint=_SMALLER)
        if max(map(len, cells)) > LONGEST_CELL:
            raise InputError(f"line {line} has a cell of more than {LONGEST_CELL} characters", hint=_SMALLER)
        yield line, cells


def _records(data: bytes, encoding: Encoding, delimiter: str) -> Iterator[Row]:
    """Line and cells of each row that is not empty, the one of names first. Raises InputError."""
    with opened(data, encoding) as file:
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=delimiter)
        while True:
            line = lines.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                hint = "Look for a quotation mark that is not closed."
                raise InputError(f"the row at line {line} cannot be read: {error}", hint=hint) from error
            if any(cell.strip() for cell in cells):
                yield line, cells


_SMALLER = "Leave out columns that are not needed."


def _header(data: bytes, encoding: Encoding) -> tuple[str, list[str]]:
    """The delimiter that makes most sense of the first row, and the names in that row. Raises InputError."""
    found: list[tuple[int, int, str, list[str]]] = []
    problem = InputError("the feed is empty", hint="Send a table with a row of names, or XML.")
    for delimiter in _DELIMITERS:
        try:
            for _, names in islice(_records(data, encoding, delimiter), 1):
                keys = [*map(columns.key_of, names[:MOST_COLUMNS])]
                found.append((columns.familiarity(keys), len(names), delimiter, names))
        except InputError as error:
            problem = error
    if not found:
        raise problem
    _, _, delimiter, names = max(found, key=lambda one: one[:2])
    return delimiter, [name.strip() for name in names]


def read(data: bytes, encoding: Encoding, form: Form | None) -> tuple[Form, Iterator[Product]]:
    """The form, found from the names of the columns unless it is given, and the products, as they are asked for.

    Raises InputError, also while they are read.
    """
    delimiter, header = _header(data, encoding)
    keys = [columns.key_of(name) for name in header]
    chosen = form or columns.form_of(keys)
    names = NAMES.get(chosen, GENERIC)
    rows = islice(_rows(data, encoding, delimiter), 1, None)
    first = list(islice(rows, _LOOKED_AT))
    pictures = [place for place, key in enumerate(keys) if key in names.pictures]
    if chosen is Form.GENERIC:
        pictures = [
            place for place, key in enumerate(keys) if columns.may_hold_pictures(key) and _holds_addresses(first, place)
        ]
    if not pictures:
        raise InputError(
            f"no column of the feed holds pictures, as a feed of the form {chosen} has it",
            hint="The first row has to name the columns: docs/feeds.md has the names.",
        )
    if len(pictures) > MOST_PICTURES:
        raise InputError(
            f"the feed has {len(pictures)} columns of pictures, the limit is {MOST_PICTURES}", hint=_SMALLER
        )
    return chosen, _products(chain(first, rows), header, _places(keys, names), pictures)


def _holds_addresses(rows: Sequence[Row], place: int) -> bool:
    """Whether at least half of the cells that are not empty do."""
    given = [cell for _, cells in rows if place < len(cells) and (cell := cells[place].strip())]
    return bool(given) and 2 * sum(map(is_address, given)) >= len(given)


def _places(keys: Sequence[str], names: Names) -> tuple[int | None, int | None, int | None]:
    """Of id, title and link: the first column with such a name."""

    def first(wanted: frozenset[str]) -> int | None:
        return next((place for place, key in enumerate(keys) if key in wanted), None)

    return first(names.ids), first(names.titles), first(names.links)


def _products(
    rows: Iterator[Row], header: Sequence[str], places: tuple[int | None, int | None, int | None], pictures: list[int]
) -> Iterator[Product]:
    id_place, title_place, link_place = places
    for count, (line, cells) in enumerate(rows, 1):
        if count > MOST_ROWS:
            raise InputError(f"the feed has more than {MOST_ROWS} rows, the limit", hint="Make several feeds of it.")
        at = _reader(cells)
        yield product_of(
            line,
            [(header[place], cells[place]) for place in pictures if place < len(cells) and cells[place].strip()],
            id=at(id_place),
            title=at(title_place),
            link=at(link_place),
            needs_id=id_place is not None,
        )


def _reader(cells: Sequence[str]) -> Callable[[int | None], str]:
    """The cell at a place; empty where the row is too short, or there is no such column."""
    return lambda place: "" if place is None or place >= len(cells) else cells[place]
