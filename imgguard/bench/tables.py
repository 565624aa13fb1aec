"""Tables that read the same on a terminal and in Markdown, and the numbers in them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``rows`` of text under ``header``; ``note`` follows it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def markdown(table: Table) -> str:
    """A GitHub-flavoured table; the first column is flush left, the others right."""
    marks = ("---", *("--:" for _ in table.header[1:]))
    lines = [_row(table.header), _row(marks), *(_row(row) for row in table.rows)]
    return "\n".join(lines) + (f"\n\n{table.note}" if table.note else "")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def console(table: Table) -> str:
    """Aligned text."""
    rows = [[cell.replace("`", "").replace("**", "") for cell in row] for row in (table.header, *table.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.header))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    return "\n".join([table.title, "-" * len(table.title), *(line.rstrip() for line in lines)])


def share(value: float | None) -> str:
    """0..1 with three digits; a dash where there is none."""
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"


def number(value: float | None, digits: int = 1) -> str:
    """With so many decimals; a dash where there is none."""
    return "-" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def with_interval(rate: Mapping[str, Any]) -> str:
    """A share with its interval and the counts behind it."""
    if not rate["count"]:
        return "-"
    return f"{rate['value']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}] ({rate['hits']}/{rate['count']})"


def interval(found: Mapping[str, float]) -> str:
    """An interval alone."""
    return f"[{share(found['low'])}, {share(found['high'])}]"


def megabytes(count: float) -> str:
    """Bytes as MB."""
    return f"{count / 1e6:,.0f}"
