"""Waiting for what happens in other processes, with a limit."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Ask ten times a second. Raises AssertionError after the limit."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"after {seconds:.0f} s: {otherwise}"
        time.sleep(0.1)
