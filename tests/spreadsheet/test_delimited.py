"""Text files: encoding and delimiter are found out, rows keep their numbers and zeros (F1, F8)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.spreadsheet.delimited import find_encoding, read_delimited
from sync.spreadsheet.limits import LIMITS
from sync.spreadsheet.reading import read_sheet

STAFF = "Personalnr;Name;E-Mail\r\n00123;Jürgen Groß;j.gross@example.com\r\n00124;Zoë;z@example.com\r\n"


@pytest.mark.supports("F1")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_encoding_and_delimiter_are_found(encoding: str, delimiter: str) -> None:
    """The same list is read from every encoding and delimiter that spreadsheet programs write."""
    content = STAFF.replace(";", delimiter).encode(encoding)
    rows = list(read_delimited(content, LIMITS).rows)
    assert [[cell.text for cell in row.cells.values()] for row in rows] == [
        ["Personalnr", "Name", "E-Mail"],
        ["00123", "Jürgen Groß", "j.gross@example.com"],
        ["00124", "Zoë", "z@example.com"],
    ]
    assert rows[1].cells[1].address == "A2"


@pytest.mark.supports("F1")
def test_what_was_guessed_is_told() -> None:
    """The review shows encoding and delimiter, because a guess may be wrong."""
    assert read_sheet(STAFF.encode("cp1252")).source.detail == "cp1252, semicolon-separated"


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        (b"sep=,\r\na,b;c\r\n", {"A2": "a", "B2": "b;c"}),
        (b'"a; b";c\n"x ""y""";z\n', {"A1": "a; b", "B1": "c", "A2": 'x "y"', "B2": "z"}),
        (b'"a\nb";c\nd;e\n', {"A1": "a\nb", "B1": "c", "A2": "d", "B2": "e"}),
        (b"a;b\n\n\nc;d\n", {"A1": "a", "B1": "b", "A4": "c", "B4": "d"}),
        (b"Title, with commas, here\nNo;Mail;Name\n1;x;y\n2;x;z\n", {"A2": "No", "B2": "Mail", "C2": "Name"}),
        (b"only\none\n", {"A1": "only", "A2": "one"}),
        (b"a;b\x07c\n", {"A1": "a", "B1": "b␇c"}),
    ],
)
def test_rows_of_text_files(content: bytes, cells: dict[str, str]) -> None:
    """Announced delimiters, quotes, line breaks in cells and empty lines keep every cell at its address."""
    found = {
        cell.address: cell.text for row in read_delimited(content, LIMITS).rows for cell in row.cells.values()
    }
    assert cells.items() <= found.items()


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec="cp1252", exclude_categories=("Cc",)), max_size=200))
def test_utf_8_is_never_taken_for_something_else(text: str) -> None:
    """Whatever is valid UTF-8 is read as UTF-8."""
    content = text.encode()
    assert content.decode(find_encoding(content)).lstrip("\ufeff") == text.lstrip("\ufeff")
