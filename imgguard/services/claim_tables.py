"""What is stated of many pictures, as a table: a line a picture, found by the name of its file."""

import csv
import io
from collections.abc import Mapping

from imgguard.errors import InputError
from imgguard.provenance.records import Claims
from imgguard.services.claim_inputs import checked_claims, joined, json_in

COLUMNS = ("file", "taken", "published", "place", "url", "statement")
"""Of a CSV file; any of them may be missing but the first, and any may be there more than once."""

_HINT = "docs/claims.md has an example."


def claims_by_file(text: str, *, is_csv: bool) -> dict[str, Claims]:
    """From CSV, or from JSON lines, each an object of claims with ``file``. Several lines about a file are joined.

    Raises InputError, which names the line.
    """
    found: dict[str, Claims] = {}
    for number, file, claimed in _csv_lines(text) if is_csv else _json_lines(text):
        try:
            together = joined(found.get(file), checked_claims(claimed))
        except InputError as error:
            raise InputError(f"line {number}, {file}: {error.detail}", hint=error.hint) from error
        if together is not None:
            found[file] = together
    return found


type _Line = tuple[int, str, Mapping[str, object]]


def _csv_lines(text: str) -> list[_Line]:
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    lines: list[_Line] = []
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        unknown = sorted(set(header) - set(COLUMNS))
        if "file" not in header or unknown:
            said = f"no column {unknown[0][:40]!r} is known" if unknown else "there is no column `file`"
            raise InputError(f"line 1: {said}", hint=f"Columns are {', '.join(COLUMNS)}. {_HINT}")
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                raise InputError(f"line {rows.line_num}: {len(row)} cells under {len(header)} names", hint=_HINT)
            cells = [(name, cell.strip()) for name, cell in zip(header, row, strict=True) if cell.strip()]
            file = next((cell for name, cell in cells if name == "file"), "")
            lines.append((rows.line_num, _named(file, rows.line_num), _claimed(cells)))
    except csv.Error as error:
        raise InputError(f"line {rows.line_num}: this is not CSV: {error}", hint=_HINT) from error
    return lines


def _claimed(cells: list[tuple[str, str]]) -> dict[str, object]:
    statements = [cell for name, cell in cells if name == "statement"]
    return {
        "dates": [{"what": name, "at": cell} for name, cell in cells if name in ("taken", "published")],
        "places": [cell for name, cell in cells if name == "place"],
        "urls": [cell for name, cell in cells if name == "url"],
    } | ({"statement": "\n".join(statements)} if statements else {})


def _json_lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = json_in(line)
        except InputError as error:
            raise InputError(f"line {number}: {error.detail}", hint=_HINT) from error
        if not isinstance(found, dict):
            raise InputError(f"line {number} is not an object", hint=_HINT)
        file = found.pop("file", "")
        lines.append((number, _named(file, number), found))
    return lines


def _named(file: object, number: int) -> str:
    if not isinstance(file, str) or not file:
        raise InputError(f"line {number} names no file", hint=_HINT)
    return file
