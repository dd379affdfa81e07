"""How a person names a plan that was looked at: by the first signs of its fingerprint (E7)."""

from __future__ import annotations

SHORTEST = 8
"""So many signs are wanted where what is held is let go, or users from before us become ours."""


def is_named(fingerprint: str, given: str, shortest: int = 1) -> bool:
    """Whether `given` are the first signs of the fingerprint, and at least `shortest` of them."""
    signs = given.strip().lower()
    return len(signs) >= shortest and fingerprint.startswith(signs)
