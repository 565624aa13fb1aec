"""Tables for spreadsheet programs, which take some texts for formulas: those of strangers must not be run."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

_ACTIVE = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""How a formula begins; full-width ones count in Japanese and Chinese editions."""

_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for the encoding of the machine."""


def harmless(cell: str) -> str:
    """``cell`` as text in any spreadsheet: behind an apostrophe, if it would be taken for a formula."""
    return f"'{cell}" if cell.startswith(("\t", "\r", "\n")) or cell.lstrip().startswith(_ACTIVE) else cell


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A CSV file (RFC 4180, with a mark of UTF-8), a line at a time, each cell `harmless`."""
    yield _MARK + _line(header)
    for row in rows:
        yield _line([harmless(cell) for cell in row])


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
