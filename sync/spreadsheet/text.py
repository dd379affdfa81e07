"""What a cell shows, as text: numbers with their leading zeros, dates as ISO text, control characters named.

Pure functions for both readers (F8). Knowledge of number formats comes from openpyxl, which is loaded for the
first number that has one: that takes as long as reading two thousand rows.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, time, timedelta
from functools import lru_cache

from sync.domain.imports.row import Cell

GENERAL = "General"
"""The number format that is none."""

EXACT_DIGITS = 10**15
"""Spreadsheet programs keep 15 digits of a number; what was longer has been rounded already."""

UNREADABLE = "\N{REPLACEMENT CHARACTER}"

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")

_HEX_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_FORMAT_TOKEN = re.compile(r'\[[^\]]*\]|"([^"]*)"|\\(.)|_.|\*.|(0)|(.)', re.DOTALL)
_HARMLESS_CONTROLS = frozenset("\t\n\r")


@lru_cache(maxsize=1024)
def _is_date(number_format: str) -> bool:
    """Asked for every number of the file; a file has few formats."""
    if number_format == GENERAL:
        return False
    from openpyxl.styles.numbers import is_date_format

    return bool(is_date_format(number_format))


def text_cell(address: str, text: str, longest: int) -> Cell:
    """A cell of text. Control characters are shown as their pictures (U+2400…) and named as a problem."""
    if len(text) > longest:
        return Cell(address, printable(text[:longest]), f"is longer than {longest:,} characters")
    if text.isprintable() and UNREADABLE not in text:
        return Cell(address, text)
    strange = next((character for character in text if _is_control(character)), None)
    if strange is None:
        return Cell(address, text)
    return Cell(
        address, printable(text), f"holds the unusable character U+{ord(strange):04X}: type the text again"
    )


def printable(text: str) -> str:
    """The text with control characters as their pictures and lone surrogates replaced."""
    return "".join(_picture(character) if _is_control(character) else character for character in text)


def neutral(text: str) -> str:
    """The text for a .csv file so that no spreadsheet program takes it for a formula: with an apostrophe before
    a character that begins one (OWASP, "CSV Injection"). A lone dash is left as it is."""
    bare = text.lstrip("'")
    return f"'{text}" if bare.startswith(FORMULA_SIGNS) and len(bare.strip()) > 1 else text


def without_apostrophe(text: str) -> str:
    """Undo `neutral`: a file that we wrote says the same when it is read again."""
    return text[1:] if text.startswith("'") and neutral(text[1:]) == text else text


def unescape(text: str) -> str:
    """Undo the `_x0007_` escapes of Office Open XML (ECMA-376 part 1, 22.9.2.19)."""
    if "_x" not in text:
        return text
    joined = _HEX_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def number_cell(address: str, raw: str, number_format: str, *, since_1904: bool) -> Cell:
    """A cell that holds a number, as its format shows it where that matters: leading zeros and dates."""
    try:
        number = float(raw)
    except ValueError:
        return Cell(address, raw, f"holds {raw[:40]!r}, which is not a number")
    if _is_date(number_format):
        return _date_cell(address, number, number_format, since_1904=since_1904)
    if abs(number) >= EXACT_DIGITS:
        return Cell(address, raw, "is a number of more than 15 digits, which Excel has rounded: type it as text")
    if not number.is_integer():
        return Cell(address, repr(number))
    return Cell(address, _padded(int(number), number_format))


def _padded(number: int, number_format: str) -> str:
    """123 with `00000` → 00123, 123456 with `000-000` → 123-456; any other format → the plain digits."""
    if number_format == GENERAL:
        return str(number)
    section = number_format.split(";", 1)[0]
    tokens = list(_FORMAT_TOKEN.finditer(section))
    places = sum(1 for token in tokens if token[3])
    if number < 0 or not places or any(token[4] and token[4] not in " -()" for token in tokens):
        return str(number)
    digits = str(number).zfill(places)
    ahead, rest = digits[: len(digits) - places], iter(digits[len(digits) - places :])
    shown = ""
    for token in tokens:
        if token[3]:
            shown += ahead + next(rest)
            ahead = ""
        else:
            shown += token[1] or token[2] or token[4] or ""
    return shown.strip()


def _date_cell(address: str, number: float, number_format: str, *, since_1904: bool) -> Cell:
    from openpyxl.styles.numbers import is_timedelta_format
    from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

    epoch = MAC_EPOCH if since_1904 else WINDOWS_EPOCH
    try:
        value = from_excel(number, epoch, timedelta=is_timedelta_format(number_format))
    except (OverflowError, ValueError):
        return Cell(address, f"{number:g}", f"is formatted as a date, but {number:g} is no date")
    return Cell(address, iso_text(value))


def iso_text(value: datetime | time | timedelta | None) -> str:
    """A date without time of day as 2026-03-01, with one as 2026-03-01 08:30:00."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    return str(value)


def _is_control(character: str) -> bool:
    return character == UNREADABLE or (
        character not in _HARMLESS_CONTROLS and unicodedata.category(character) in {"Cc", "Cs"}
    )


def _picture(character: str) -> str:
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else UNREADABLE
