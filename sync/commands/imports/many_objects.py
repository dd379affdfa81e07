"""Python's search for garbage, put off while very many objects are made that are no garbage.

The search for cycles looks at every living object again and again while their number grows: with 5,000 rows it
took two fifths of the processor time of a review and of its confirmation. Most is freed without it, as ever.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def garbage_waits() -> Iterator[None]:
    """For a with block or as a decorator, around what ends within seconds and makes no cycles in large numbers. It
    counts for the whole process; of two that overlap, the first to end lets the search go on."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
