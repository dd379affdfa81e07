"""What comes out of an .xlsx file: the text a person sees, with its address (F8)."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from sync.domain.imports.row import Cell
from sync.spreadsheet.limits import LIMITS, FileRefused
from sync.spreadsheet.reading import read_sheet
from sync.spreadsheet.xlsx import NO_RESULT, read_xlsx
from tests.spreadsheet.files import package, saved, sheet_xml, workbook

SHOWN = [
    ("00123", "General", "00123"),
    (123, "00000", "00123"),
    (123, "General", "123"),
    (1234567, "00000", "1234567"),
    (42, '"P-"0000', "P-0042"),
    (42, "\\P0000", "P0042"),
    (123456, "000-000", "123-456"),
    (-5, "00000", "-5"),
    (12, "0.00", "12"),
    (1234, "#,##0", "1234"),
    (1.5, "General", "1.5"),
    (4.91511e11, "0.00E+00", "491511000000"),
    (date(2026, 3, 1), "dd.mm.yyyy", "2026-03-01"),
    (46082, "yyyy-mm-dd", "2026-03-01"),
    (datetime(2026, 3, 1, 8, 30), "dd.mm.yyyy hh:mm", "2026-03-01 08:30:00"),  # noqa: DTZ001 - a wall clock
    (time(8, 30), "hh:mm", "08:30:00"),
    (True, "General", "TRUE"),
    ("=not a formula", "General", None),
]


@pytest.mark.supports("F8")
@pytest.mark.parametrize(("value", "number_format", "shown"), SHOWN)
def test_value_is_read_as_it_is_shown(value: Any, number_format: str, shown: str | None) -> None:
    """Leading zeros and dates survive; a formula nobody has calculated is named with its cell."""
    cell = read_sheet(workbook([[value]], formats={"A1": number_format})).rows[0].cells[1]
    assert cell == (Cell("A1", shown) if shown is not None else Cell("A1", "", NO_RESULT))


@pytest.mark.supports("F8")
@pytest.mark.parametrize(
    ("xml", "text", "problem"),
    [
        ('<c r="B2" t="e"><v>#N/A</v></c>', "#N/A", "shows the error #N/A"),
        ('<c r="B2" t="str"><f>A1</f><v>Anna</v></c>', "Anna", None),
        ('<c r="B2"><f>A1</f></c>', "", "without a stored result"),
        ('<c r="B2"><v>12345678901234567</v></c>', "12345678901234567", "more than 15 digits"),
        ('<c r="B2"><v>many</v></c>', "many", "not a number"),
        ('<c r="B2" t="inlineStr"><is><r><t>An</t></r><r><t>na</t></r></is></c>', "Anna", None),
        ('<c r="B2" t="inlineStr"><is><t>安</t><rPh><t>アン</t></rPh></is></c>', "安", None),
        ('<c r="B2" t="inlineStr"><is><t>a_x0007_b</t></is></c>', "a␇b", "U+0007"),
        ('<c r="B2" t="inlineStr"><is><t>a_x005F_x0007_b</t></is></c>', "a_x0007_b", None),
        ('<c r="B2" t="inlineStr"><is><t>a_xD83D_b</t></is></c>', "a\ufffdb", "U+FFFD"),
        ('<c t="d"><v>2026-03-01T00:00:00Z</v></c>', "2026-03-01", None),
        ('<x:c t="b"><x:v>0</x:v></x:c>', "FALSE", None),
        (f'<c t="inlineStr"><is><t>{"x" * 5000}</t></is></c>', "x" * 4000, "longer than"),
    ],
)
def test_cell_as_other_programs_write_it(xml: str, text: str, problem: str | None) -> None:
    """Inline texts, missing addresses, prefixes, errors and escapes are all read, or named with the cell."""
    row = f'<row r="2"><c r="A2"><v>1</v></c>{xml}</row>'
    content = package(sheet_xml(row).replace("<worksheet>", '<worksheet xmlns:x="x">'))
    cell = read_sheet(content).rows[0].cells[2]
    assert (cell.address, cell.text) == ("B2", text)
    assert (problem in (cell.problem or "")) if problem else cell.problem is None


def test_first_visible_sheet_with_something_in_it_is_read() -> None:
    """Hidden lists and empty sheets before the staff list do not get in its way; a name overrides."""
    book = Workbook()
    hidden = book.worksheets[0]
    hidden.append(["hidden"])
    hidden.sheet_state = "hidden"
    book.create_sheet("Empty")
    book.create_sheet("Staff").append(["Anna"])
    book.create_sheet("Old").append(["Otto"])
    content = saved(book)
    found = read_sheet(content)
    assert (found.source.detail, found.rows[0].cells[1].text) == ("sheet 'Staff'", "Anna")
    assert read_sheet(content, "Old").rows[0].cells[1].text == "Otto"
    with pytest.raises(FileRefused, match=r"no sheet 'New'.*'Staff'"):
        read_sheet(content, "New")


def test_merged_cells_show_their_text_everywhere() -> None:
    """A title merged over two rows, and a branch merged over three people, are read in each cell."""
    rows = [["No", "Branch"], [None, None], ["1", "North"], ["2", None], ["3", None]]
    found = read_sheet(workbook([*rows, ["4", None]], merged=["A1:A2", "B3:B5"])).rows
    assert [row.cells[2].text if 2 in row.cells else None for row in found[1:]] == [
        "North",
        "North",
        "North",
        None,
    ]
    assert found[2].cells[2].address == "B4"


def test_dates_of_a_1904_workbook() -> None:
    """Files of old Macs count days from 1904."""
    book = Workbook()
    book.epoch = datetime(1904, 1, 1)  # noqa: DTZ001 - openpyxl's constant is naive
    book.worksheets[0]["A1"] = date(2026, 3, 1)
    assert read_sheet(saved(book)).rows[0].cells[1].text == "2026-03-01"


_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"), exclude_characters="\ufffd"), max_size=30
)


@pytest.mark.supports("F8")
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.none(),
                _TEXTS,
                st.integers(-(10**14), 10**14),
                st.dates(date(1901, 1, 1), date(2100, 1, 1)),
                st.booleans(),
            ),
            min_size=1,
            max_size=6,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_reads_what_openpyxl_wrote(rows: list[list[Any]]) -> None:
    """Any sheet of texts, whole numbers, dates and truths comes back cell by cell."""
    book = Workbook()
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            cell = book.worksheets[0].cell(number, column, value)
            if isinstance(value, str):
                cell.data_type = "s"
    expected = {
        (number, column): _expected(value)
        for number, row in enumerate(rows, start=1)
        for column, value in enumerate(row, start=1)
        if value is not None and _expected(value).strip()
    }
    try:
        found = read_xlsx(io.BytesIO(saved(book)), LIMITS).rows
    except FileRefused:
        assert not expected
        return
    cells = {(row.number, column): cell.text for row in found for column, cell in row.cells.items()}
    assert cells == expected


def _expected(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return value.isoformat() if isinstance(value, date) else str(value)


def test_utc_is_not_assumed_for_dates() -> None:
    """A date in a cell is a calendar date: no time zone may move it by a day."""
    late = datetime(2026, 3, 1, 23, 59, tzinfo=UTC).replace(tzinfo=None)
    assert read_sheet(workbook([[late]])).rows[0].cells[1].text == "2026-03-01 23:59:00"
