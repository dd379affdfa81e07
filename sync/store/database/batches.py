"""Keys in portions: one statement of either database takes only so many parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

AT_ONCE = 500


def batches(keys: Iterable[str]) -> Iterator[list[str]]:
    """Each key once, in order, at most `AT_ONCE` together: locks taken by portions are taken in one order."""
    ordered = sorted(set(keys))
    return (ordered[start : start + AT_ONCE] for start in range(0, len(ordered), AT_ONCE))
