"""What ends a stack in the foreground: Ctrl-C, a request to end, a closed terminal. Once, and undisturbed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_signals() -> Iterator[Callable[[], None]]:
    """The first of the signals raises KeyboardInterrupt in the block; further ones are ignored.

    Gives a function that ignores all of them from then on: for ending things in order. Needs the main thread.
    """

    def ignore() -> None:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        ignore()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in ENDING}
    try:
        yield ignore
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
