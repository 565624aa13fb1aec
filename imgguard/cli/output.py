"""Data on stdout, everything else on stderr."""

import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel

if TYPE_CHECKING:
    from rich.console import Console


def emit(value: BaseModel | Mapping[str, Any]) -> None:
    """One JSON object on one line, at once."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, default=str)
    sys.stdout.write(text.translate(_ESCAPED) + "\n")
    sys.stdout.flush()


# JSON may hold these as they are; but terminals obey some of them, and many a reader takes others for line ends.
_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


def say(*lines: str, quiet: bool = False) -> None:
    """Lines for people, on stderr. They may hold names and messages of strangers."""
    if not quiet:
        print("\n".join(map(shown, lines)), file=sys.stderr, flush=True)


def shown(text: str) -> str:
    """``text`` as it may stand on a terminal: in one line, and nothing in it that a terminal obeys."""
    from imgguard.evidence.statements import visible

    return visible(text)


_LAST_WIDTH = 18  # cells kept for the last column, whose width is not fixed
_SMALLEST_WIDTH = 10


@dataclass(frozen=True, slots=True)
class Column:
    """``width`` in terminal cells; longer values are shortened on a terminal, unless they are to be ``whole``: an id
    that lost a character is of no use. The last column has no width."""

    title: str
    width: int
    whole: bool = False


def widened(columns: Sequence[Column], position: int, values: Iterable[str]) -> list[Column]:
    """``columns`` with the one at ``position`` as wide as the longest of ``values``, within reason."""
    from rich.cells import cell_len

    longest = max((cell_len(shown(value)) for value in values), default=0)
    return [
        Column(column.title, min(max(longest, 8), 60)) if number == position else column
        for number, column in enumerate(columns)
    ]


def stdout_console() -> "Console":
    """rich's console for people on stdout: plain text, and a reader that went away is an error as everywhere else."""
    from rich.console import Console

    class PlainConsole(Console):
        def on_broken_pipe(self) -> None:  # rich would end the process with a code that means "copy found" here
            raise BrokenPipeError

    return PlainConsole(highlight=False, markup=False, emoji=False)


class Rows:
    """A table that is printed row by row, as results come. Colours only where stdout is a terminal."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = list(columns)
        self._console = stdout_console()
        self._has_header = False
        if self._console.is_terminal:
            self._narrow(self._console.width)

    def _narrow(self, width: int) -> None:
        """Take from the widest columns until a row fits the terminal."""
        while sum(column.width + 2 for column in self._columns) + _LAST_WIDTH > width:
            widest = max(self._columns, key=lambda column: 0 if column.whole else column.width)
            if widest.whole or widest.width <= _SMALLEST_WIDTH:
                break
            self._columns[self._columns.index(widest)] = Column(widest.title, widest.width - 1)

    def add(self, values: Sequence[str], *, style: str = "") -> None:
        """A row; ``style`` colours its first cell. Values are shown as `shown` has them.

        The last value is never shortened, also where there are fewer of them than columns.
        """
        if not self._has_header:
            self._print([column.title for column in self._columns], style="bold", everywhere=True)
            self._has_header = True
        self._print(list(map(shown, values)), style=style)

    def _print(self, values: Sequence[str], *, style: str, everywhere: bool = False) -> None:
        from rich.text import Text

        line = Text()
        for number, (column, value) in enumerate(zip(self._columns, values, strict=False)):
            is_last = number == len(values) - 1
            cell = value if is_last else self._fitted(value, column)
            line.append(cell, style=style if everywhere or number == 0 else "")
            line.append("" if is_last else "  ")
        line.rstrip()
        self._console.print(line, soft_wrap=True)
        sys.stdout.flush()

    def _fitted(self, value: str, column: Column) -> str:
        from rich.cells import cell_len, chop_cells

        width = column.width
        if self._console.is_terminal and not column.whole and cell_len(value) > width:
            value = "…" + chop_cells(value[::-1], width - 1)[0][::-1]  # the end of a path says most
        return value + " " * (width - cell_len(value))


class Progress:
    """One line on stderr: how far, how fast, how long still. Nothing unless stderr is a terminal.

    Not rich's: that one redraws from a thread of its own and would mix with the rows on stdout.
    """

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._total = total
        self._done = 0
        self._shown = not quiet and total > 1 and sys.stderr.isatty()
        self._start = time.monotonic()
        self._drawn_at = 0.0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self.draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def advance(self, to: int | None = None) -> None:
        """One more is done, or ``to`` of them."""
        self._done = self._done + 1 if to is None else to
        if time.monotonic() - self._drawn_at > 0.1:
            self.draw()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """One more is done, and something is printed about it: the line makes room for that and comes back."""
        self.clear()
        yield
        self._done += 1
        self.draw()

    def clear(self) -> None:
        if self._shown:
            with self._lock:
                sys.stderr.write(_WIPED)
                sys.stderr.flush()

    def draw(self) -> None:
        if self._shown:
            with self._lock:
                sys.stderr.write(f"{_WIPED}{self._text()}")
                sys.stderr.flush()
                self._drawn_at = time.monotonic()

    def _text(self) -> str:
        spent = time.monotonic() - self._start
        rate = self._done / spent if spent > 0 else 0.0
        filled = 24 * self._done // max(self._total, 1)
        text = f"{'━' * filled}{'─' * (24 - filled)} {self._done}/{self._total}"
        if rate > 0:
            text += f"  {rate:.1f} a second  {clock((self._total - self._done) / rate)} left"
        return text


_WIPED = "\r\x1b[K"


def wipe_progress() -> None:
    """Clear the line that a `Progress` may have drawn. For a signal handler: takes no lock and waits for nobody."""
    if os.isatty(2):
        os.write(2, _WIPED.encode())


def clock(seconds: float) -> str:
    """``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def size(count: float) -> str:
    """Bytes in the unit that people read."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def compact(value: Mapping[str, Any]) -> str:
    """``roles admin seller, disclosure full``: a small JSON object for people."""
    return ", ".join(
        f"{name} {' '.join(map(str, item)) if isinstance(item, list) else item}" for name, item in value.items()
    )


def counted(counts: Iterable[tuple[int, str]]) -> str:
    """``3 registered, 1 rejected``: those that are not zero."""
    return ", ".join(f"{number} {name}" for number, name in counts if number) or "nothing"
