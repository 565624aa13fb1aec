"""Cells that a spreadsheet would run."""

import csv
import io

import pytest

from imgguard.services.spreadsheets import csv_text, harmless


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＋1", "－1", "＠a", "=cmd|' /C calc'!A0"],
)
def test_what_begins_like_a_formula_is_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "mug", "1-2", "a=b", "https://a.example/?b=-1", "'quoted'", "杯子"])
def test_the_rest_stays_as_it_is(cell: str) -> None:
    assert harmless(cell) == cell


def test_a_file_as_spreadsheets_want_it() -> None:
    text = "".join(csv_text(["a", "b"], [['"x", y', "=1\nz"], ["杯", ""]]))
    assert text.encode().startswith(b"\xef\xbb\xbfa,b\r\n")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert rows == [["a", "b"], ['"x", y', "'=1\nz"], ["杯", ""]]
