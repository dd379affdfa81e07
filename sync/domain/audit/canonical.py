"""Canonical JSON (RFC 8785): one value has one text, whoever writes it and whichever database kept it.

What the chain hashes is written here. Values that the RFC leaves open between languages do not occur in a text of
ours: decision page 0036.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

EXACT = 2**53 - 1
"""Greater whole numbers are not the same number to every reader of JSON (RFC 7493, section 2.2)."""


def canonical(value: object) -> str:
    """The text of what JSON holds: names in the order of their UTF-16 code units, no blanks, no escape that is not
    needed.

    A number that is not whole, or too great for `EXACT`, is written as a text of its digits, and half a surrogate
    pair as the letters of its escape: an entry that holds one is chained like any other.
    """
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def utc_text(at: datetime) -> str:
    """An aware time in UTC, always with six digits after the point."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _ordered(value: object) -> object:
    match value:
        case dict():
            named = {_whole(str(name)): _ordered(each) for name, each in value.items()}
            return {name: named[name] for name in sorted(named, key=_code_units)}
        case list() | tuple():
            return [_ordered(each) for each in value]
        case str():
            return _whole(value)
        case bool() | None:
            return value
        case int() if abs(value) <= EXACT:
            return value
        case int() | float():
            return repr(value)
        case _:
            raise TypeError(f"JSON holds no {type(value).__name__}")


def _code_units(name: str) -> bytes:
    return name.encode("utf-16-be")


def _whole(text: str) -> str:
    """Without half a surrogate pair, which no UTF-8 holds."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
