"""What openpyxl makes of a sheet, which is why `sync.spreadsheet.xlsx` reads it by itself."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet.worksheet import Worksheet

pytestmark = pytest.mark.supports("F8")


def saved(fill: Callable[[Worksheet], object]) -> io.BytesIO:
    book, file = Workbook(), io.BytesIO()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    fill(sheet)
    book.save(file)
    return file


def quickly_read(file: io.BytesIO) -> ReadOnlyWorksheet:
    sheet = load_workbook(file, read_only=True, data_only=True).active
    assert isinstance(sheet, ReadOnlyWorksheet)
    return sheet


def first_and_last(sheet: Worksheet) -> None:
    sheet["A1"] = sheet["XFD1048576"] = "x"


def test_two_cells_are_a_giant_sheet() -> None:
    """(fact: two-cells-are-a-giant-sheet)"""
    file = saved(first_and_last)
    assert len(file.getvalue()) < 10_000
    sheet = quickly_read(file)
    assert sheet.max_row * sheet.max_column == 17_179_869_184


def test_a_formula_without_a_result_is_an_empty_cell() -> None:
    """(fact: libraries-lose-what-cells-show)"""
    [[formula, nothing, text]] = quickly_read(saved(lambda sheet: sheet.append(["=1+1", None, "x"]))).values
    assert (formula, nothing, text) == (None, None, "x")


def test_merged_cells_are_not_told() -> None:
    """(fact: libraries-lose-what-cells-show)"""

    def merged(sheet: Worksheet) -> None:
        sheet["A1"] = "x"
        sheet.merge_cells("A1:B1")

    assert list(quickly_read(saved(merged)).values) == [("x", None)]
