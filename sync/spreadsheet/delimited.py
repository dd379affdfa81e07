"""Rows of a text file (.csv, .tsv): its encoding and delimiter are found out, not asked for (F1).

What was found is part of the review, because a guess (cp1252 above all) may be wrong and is seen there.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from sync.domain.imports.row import Cell
from sync.spreadsheet.limits import FileRefused, Limits
from sync.spreadsheet.sheet import SheetRow, check_place, column_letters
from sync.spreadsheet.text import text_cell, without_apostrophe

DELIMITERS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "bar"}
_SAMPLE_ROWS = 50
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
NOT_TEXT = "this is neither a spreadsheet nor a text file"


@dataclass(frozen=True, slots=True)
class DelimitedRows:
    encoding: str
    delimiter: str
    rows: Iterator[SheetRow]


def read_delimited(content: bytes, limits: Limits) -> DelimitedRows:
    """Raises FileRefused if it is not text or its quoting is broken (the latter while rows are taken)."""
    encoding = find_encoding(content)
    text = content.decode(encoding)
    delimiter, skipped, text = find_delimiter(text)
    return DelimitedRows(encoding, DELIMITERS[delimiter], _rows(text, delimiter, skipped, limits))


def find_encoding(content: bytes) -> str:
    """By its mark; else UTF-8 if it is valid; else UTF-16 by its zero bytes; else cp1252 (what Excel writes
    in western Europe). Raises FileRefused if none of them fits."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _checked(content, encoding)
    head = content[:4096]
    if b"\x00" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        return _checked(content, "utf-16-le" if odd > even else "utf-16-be")
    try:
        return _checked(content, "utf-8")
    except FileRefused:
        return _checked(content, "cp1252")


def _checked(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise FileRefused(NOT_TEXT, "save it as .xlsx, or as .csv in UTF-8") from None
    sample = text[:10_000]
    strange = sum(1 for sign in sample if sign < " " and sign not in "\t\r\n")
    if strange > max(3, len(sample) // 50) or (
        encoding.startswith("utf-16-") and not any(map(str.isascii, sample))
    ):
        raise FileRefused(NOT_TEXT, "choose the staff file (.xlsx or .csv)")
    return encoding


def find_delimiter(text: str) -> tuple[str, int, str]:
    """The delimiter, how many lines its announcement took, and the text without it.

    Excel's line `sep=;` is obeyed. Otherwise the one that splits the most lines into the same number of
    columns, the more columns the better; one column only reads as separated by commas.
    """
    first, line_break, rest = text.partition("\n")
    announced = first.strip().strip('"').lower()
    if announced.startswith("sep=") and announced[4:] in {";", ",", "|", "\t", ""}:
        return announced[4:] or "\t", 1, rest if line_break else ""
    return max(DELIMITERS, key=lambda delimiter: _score(text, delimiter)), 0, text


def _score(text: str, delimiter: str) -> tuple[int, int]:
    try:
        widths = Counter(
            len(row)
            for row in islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), _SAMPLE_ROWS)
            if row
        )
    except csv.Error:
        return (0, 0)
    width, rows = max(widths.items(), key=lambda each: (each[0] > 1, each[1], each[0]), default=(0, 0))
    return (rows * (width - 1), -list(DELIMITERS).index(delimiter))


def _rows(text: str, delimiter: str, skipped: int, limits: Limits) -> Iterator[SheetRow]:
    csv.field_size_limit(max(csv.field_size_limit(), limits.text * 4))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = skipped
    try:
        for fields in reader:
            number += 1
            cells: dict[int, Cell] = {}
            for column, value in enumerate(fields, start=1):
                if value.strip():
                    check_place(number, column, limits)
                    cells[column] = text_cell(
                        f"{column_letters(column)}{number}", without_apostrophe(value), limits.text
                    )
            if cells:
                yield SheetRow(number, cells)
    except csv.Error as error:
        raise FileRefused(
            f"the quotation marks do not match near line {reader.line_num + skipped} ({error})",
            'a text with a quotation mark is written "like ""this"" one"',
        ) from None
