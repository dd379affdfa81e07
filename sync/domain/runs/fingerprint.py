"""How a person names a plan that was looked at: by the first characters of its fingerprint (E7)."""

from __future__ import annotations

SHORTEST = 8
"""So many characters are wanted where what is held is let go, or users from before us become ours."""


def is_named(whole: str, given: str, shortest: int = 1) -> bool:
    """Whether `given` are the first characters of the fingerprint, and at least `shortest` of them."""
    beginning = given.strip().lower()
    return len(beginning) >= shortest and whole.startswith(beginning)
