"""The fingerprint of a plan that was looked at, and how a person names it: by its first characters (E7)."""

from __future__ import annotations

import hashlib
import json
from datetime import date

SHORTEST = 8
"""So many characters are wanted where what is held is let go, or users from before us become ours."""


def fingerprint(*parts: object) -> str:
    """SHA-256 over plain JSON values and dates, the same in any process and in any order of keys. A plan too long
    for memory is made part by part, each with the fingerprint of those before."""
    text = json.dumps(parts, sort_keys=True, default=_date)
    return hashlib.sha256(text.encode()).hexdigest()


def _date(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no fingerprint")


def is_named(whole: str, given: str, shortest: int = 1) -> bool:
    """Whether `given` are the first characters of the fingerprint, and at least `shortest` of them."""
    beginning = given.strip().lower()
    return len(beginning) >= shortest and whole.startswith(beginning)
