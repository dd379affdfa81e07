"""Files we write: no text becomes a formula, and what we wrote reads back as it was (F8, F9)."""

from __future__ import annotations

import io
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

import mappings
from sync.spreadsheet.delimited import read_delimited
from sync.spreadsheet.header import find_columns
from sync.spreadsheet.limits import LIMITS, FileRefused
from sync.spreadsheet.reading import read_sheet
from sync.spreadsheet.template import languages, template
from sync.spreadsheet.writing import FileKind, write_table
from sync.spreadsheet.xlsx import read_xlsx

POLICY = mappings.load()
FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://example.com")',
    "+49 40 123",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "-",
    "'tis",
    "'=x",
    "''=x",
    "00123",
]


@pytest.mark.supports("F8", "F9")
@pytest.mark.parametrize("kind", get_args(FileKind))
def test_formulas_are_neutralised_and_read_back(kind: FileKind) -> None:
    """A spreadsheet program sees texts; our reader sees what was written."""
    content = write_table(kind, ["a", "b"], [["x", text] for text in FORMULAS], sheet="Errors")
    cells = [row.cells[2].text for row in read_sheet(content).rows[1:]]
    assert [text.strip() for text in cells] == [text.strip() for text in FORMULAS]
    if kind == "xlsx":
        page = load_workbook(io.BytesIO(content)).worksheets[0]
        assert {cell.data_type for row in page.iter_rows() for cell in row} == {"s"}
    else:
        begun = [line.split(";")[1][:1] for line in content.decode("utf-8-sig").splitlines()[1:]]
        assert not set(begun) & set("=+@\t")


@pytest.mark.supports("F9")
@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.text(
            st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"), exclude_characters="\ufffd"),
            max_size=20,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_text_survives_both_formats(texts: list[str]) -> None:
    """Whatever stands in a cell is the same after writing and reading."""
    rows = [["x", text] for text in texts]
    expected = [text if text.strip() else None for text in texts]
    for found in (
        read_xlsx(io.BytesIO(write_table("xlsx", ["a", "b"], rows, sheet="s")), LIMITS).rows,
        read_delimited(write_table("csv", ["a", "b"], rows, sheet="s"), LIMITS).rows,
    ):
        cells = [row.cells[2].text if 2 in row.cells else None for row in found][1:]
        assert cells == expected


@pytest.mark.supports("F1")
@pytest.mark.parametrize("language", languages(POLICY))
def test_template_is_understood_by_the_import(language: str) -> None:
    """Filled in, every column of the template is known; its drop-downs offer what the policy knows."""
    book = load_workbook(io.BytesIO(template(POLICY, language)))
    page = book["Staff"]
    page.append(["x"] * page.max_column)
    target = io.BytesIO()
    book.save(target)
    staff = find_columns(read_sheet(target.getvalue()), POLICY.import_columns)
    assert staff.ignored == ()
    assert set(staff.columns) == {column.field for column in POLICY.import_columns} - {"full_name"}
    offered = [cell.value for cell in book["Lists"][staff.columns["branch"].address[0]] if cell.value]
    assert [branch.key for name in offered if (branch := POLICY.find_branch(name))] == list(POLICY.branches)
    assert book["Lists"].sheet_state == "hidden"


def test_template_of_an_unknown_language_is_refused() -> None:
    """The refusal names the languages there are."""
    assert {"en", "de"} <= set(languages(POLICY))
    with pytest.raises(FileRefused, match=r"'xx'.*de, en"):
        template(POLICY, "xx")
