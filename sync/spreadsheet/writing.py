"""Tables written as .xlsx or .csv: every value is text, and no text can become a formula (F8, F9).

For error files here; exports will use it too. Nothing is computed and nothing is read back.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Literal

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from sync.spreadsheet.sheet import column_letters
from sync.spreadsheet.text import neutral, printable

FileKind = Literal["xlsx", "csv"]
WIDEST = 60


def write_table(kind: FileKind, titles: Sequence[str], rows: Iterable[Sequence[str]], *, sheet: str) -> bytes:
    """A table with one row of titles. `sheet` names the sheet of an .xlsx."""
    return _xlsx(titles, rows, sheet) if kind == "xlsx" else _csv(titles, rows)


def _csv(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """With a byte order mark, because Excel reads UTF-8 only then."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=";")
    for row in (titles, *rows):
        writer.writerow([neutral(printable(text)) for text in row])
    return target.getvalue().encode("utf-8-sig")


def _xlsx(titles: Sequence[str], rows: Iterable[Sequence[str]], sheet: str) -> bytes:
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet)
    written = [[printable(text) for text in row] for row in (titles, *rows)]
    for column in range(len(titles)):
        longest = max((len(row[column]) for row in written if column < len(row)), default=0)
        page.column_dimensions[column_letters(column + 1)].width = min(WIDEST, longest + 2)
    page.freeze_panes = "A2"
    for number, row in enumerate(written):
        cells = [WriteOnlyCell(page, value=text) for text in row]
        for cell in cells:
            cell.data_type = "s"  # else a formula, if it begins with = (fact: openpyxl-makes-formulas)
            cell.number_format = "@"
            cell.font = Font(bold=number == 0)
        page.append(cells)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()
