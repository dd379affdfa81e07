"""A sheet as it was read: rows of raw text with the addresses a spreadsheet program would show.

The readers make it, `header` finds the columns in it, the error file is written from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from sync.domain.imports.row import Cell
from sync.spreadsheet.limits import FileRefused, Limits


@dataclass(frozen=True, slots=True)
class Source:
    """How the file was understood, to be shown: a wrongly guessed encoding is seen here first.

    `kind` is `xlsx` or `csv`; `detail` says sheet name, or encoding and delimiter; `digest` is the SHA-256 of
    the file's bytes.
    """

    kind: str
    detail: str
    digest: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """`cells` maps the column (1 is A) to its cell; blank cells are left out."""

    number: int
    cells: Mapping[int, Cell]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Only rows with something in them, by ascending number."""

    source: Source
    rows: tuple[SheetRow, ...]


@cache
def column_letters(column: int) -> str:
    """1 → A, 27 → AA."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """A → 1, AA → 27. Raises FileRefused for what is no column."""
    if not (0 < len(letters) <= 3 and letters.isascii() and letters.isalpha() and letters.isupper()):
        raise FileRefused(f"{letters[:20]!r} is not a column", "open the file in Excel and save it again")
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def check_place(row: int, column: int, limits: Limits) -> None:
    """Raises FileRefused for a cell outside the limits, before anything as large is built."""
    if row > limits.rows or column > limits.columns:
        raise FileRefused(
            f"cell {column_letters(column)}{row} lies outside the first {limits.rows:,} rows "
            f"and {limits.columns} columns",
            "delete what stands far below or right of the list, or split the file",
        )


def split_address(address: str, limits: Limits) -> tuple[int, int]:
    """`E17` → (17, 5). Raises FileRefused for what is no address or lies outside the limits."""
    letters = address.rstrip("0123456789")
    row, column = int(address[len(letters) :][:9] or "0"), column_number(letters)
    check_place(row, column, limits)
    return row, column


def fill_merged(rows: Sequence[SheetRow], merged: Sequence[str], limits: Limits) -> tuple[SheetRow, ...]:
    """Give every cell of a merged area the text of its first cell: that is what the reader of the sheet sees.

    Only rows that are there anyway are filled. Raises FileRefused when the areas are absurdly large.
    """
    if not merged:
        return tuple(rows)
    by_number = {row.number: dict(row.cells) for row in rows}
    filled = 0
    for area in merged:
        first, _, last = area.partition(":")
        top, left = split_address(first, limits)
        bottom, right = split_address(last or first, limits)
        master = by_number.get(top, {}).get(left)
        if master is None:
            continue
        filled += (bottom - top + 1) * (right - left + 1)
        if filled > limits.merged_cells:
            raise FileRefused(
                f"more than {limits.merged_cells:,} cells are merged", "undo the merging in the spreadsheet"
            )
        for number in range(top, bottom + 1):
            for column in range(left, right + 1):
                if number in by_number and column not in by_number[number]:
                    address = f"{column_letters(column)}{number}"
                    by_number[number][column] = replace(master, address=address)
    return tuple(SheetRow(number, cells) for number, cells in by_number.items())
