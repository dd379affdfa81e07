"""Tables as lines of text, for a terminal of any width and for other programs. Pure.

In a pipe one line is one record, however long. On a terminal no word is broken: cells go on in the next line at
blanks, then the columns that matter least are left out, and at last each record is told field by field.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

BETWEEN = "  "

Row = Sequence[str]
"""A text for each column. A text of several lines holds several things."""


@dataclass(frozen=True, slots=True)
class Laid:
    """`left_out` are the columns that there was no room for. Only where it is `titled` the first line names the
    columns."""

    lines: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    titled: bool = True


def table(columns: Row, rows: Sequence[Row], width: int | None, least: Sequence[str] = ()) -> Laid:
    """`width` in characters; None: as long as it takes. `least`: columns that may be left out, the least needed
    first."""
    if width is None:
        return Laid(_unwrapped(columns, rows))
    for number in range(len(least) + 1):
        left_out = least[:number]
        places = [place for place, name in enumerate(columns) if name not in left_out]
        picked = [[row[place] for place in places] for row in _titled(columns, rows)]
        widths = _fitted(picked, width)
        if widths is not None:
            return Laid(tuple(line for row in picked for line in _wrapped(row, widths)), tuple(left_out))
    return Laid(_records(columns, rows), titled=False)


def display_width(text: str) -> int:
    """Columns of a terminal: two for wide letters, none for those that only mark the letter before."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def _titled(columns: Row, rows: Sequence[Row]) -> Sequence[Row]:
    return [columns, *rows] if any(columns) else rows


def _unwrapped(columns: Row, rows: Sequence[Row]) -> tuple[str, ...]:
    flat = [[one_line(text) for text in row] for row in _titled(columns, rows)]
    widths = [max(map(display_width, column)) for column in zip(*flat, strict=True)]
    return tuple(_line(row, widths) for row in flat)


def one_line(text: str) -> str:
    """The same on one line, so that a program that reads lines has all of it."""
    return "; ".join(text.splitlines())


def _fitted(rows: Sequence[Row], width: int) -> list[int] | None:
    """Widths of the columns with which no word is broken; None: the terminal is too narrow for it."""
    by_column = list(zip(*rows, strict=True))
    natural = [max(display_width(line) for text in column for line in _lines(text)) for column in by_column]
    least = [max(display_width(word) for text in column for word in _words(text)) for column in by_column]
    room = width - len(BETWEEN) * (len(natural) - 1)
    if sum(least) > room:
        return None
    widths = natural
    for most in range(max(natural, default=0), 0, -1):
        widths = [max(low, min(high, most)) for low, high in zip(least, natural, strict=True)]
        if sum(widths) <= room:
            break
    return widths


def _wrapped(row: Row, widths: Sequence[int]) -> list[str]:
    cells = [_folded(text, width) for text, width in zip(row, widths, strict=True)]
    return [_line(parts, widths) for parts in zip_longest(*cells, fillvalue="")]


def _folded(text: str, width: int) -> list[str]:
    folded: list[str] = []
    for line in _lines(text):
        now = ""
        for word in line.split(" "):
            if now and display_width(now) + 1 + display_width(word) > width:
                folded.append(now)
                now = word
            else:
                now = f"{now} {word}" if now else word
        folded.append(now)
    return folded


def _records(columns: Row, rows: Sequence[Row]) -> tuple[str, ...]:
    """Each record field by field; what a terminal breaks then is at the end of a line."""
    widest = max(map(display_width, columns))
    lines: list[str] = []
    for row in rows:
        if lines:
            lines.append("")
        for title, text in zip(columns, row, strict=True):
            first, *more = _lines(text)
            lines.append(_line([title, first], [widest, 0]))
            lines += [_line(["", each], [widest, 0]) for each in more]
    return tuple(lines)


def _line(parts: Row, widths: Sequence[int]) -> str:
    padded = [part + " " * (width - display_width(part)) for part, width in zip(parts, widths, strict=True)]
    return BETWEEN.join(padded).rstrip()


def _lines(text: str) -> list[str]:
    return text.splitlines() or [""]


def _words(text: str) -> list[str]:
    return text.split() or [""]
