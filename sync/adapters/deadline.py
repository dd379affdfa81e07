"""One deadline for a whole request or conversation: looking up the name, connecting, sending, and reading however
slowly it drips. What sockets and libraries bound is each wait by itself.

Whoever sends names the deadline of its thread with `within`; adapters make their connections and read with what is
here.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

R = TypeVar("R")

_thread = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All that this thread asks of others ends within so many seconds from now, together."""
    outer = getattr(_thread, "until", None)
    _thread.until = time.monotonic() + seconds
    try:
        yield
    finally:
        _thread.until = outer


def remaining() -> float | None:
    """Seconds left, None without a deadline. Raises TimeoutError when there are none."""
    until = getattr(_thread, "until", None)
    if until is None:
        return None
    left: float = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


def in_time(work: Callable[[], R]) -> R:
    """For what cannot be given a limit, such as the look-up of a name: done by a thread that is left alone when
    the deadline passes. Raises TimeoutError then."""
    left = remaining()
    if left is None:
        return work()
    future: Future[R] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=run, name="in-time", daemon=True).start()
    return future.result(left)


def connected(host: str, port: int, options: Sequence[tuple[Any, ...]] = ()) -> socket.socket:
    """A connection to the first of the host's addresses that takes one; each has its share of the time that is
    left. Raises OSError: gaierror for the name, TimeoutError at the deadline."""
    addresses = in_time(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    trouble: OSError = socket.gaierror(socket.EAI_NONAME, "the name has no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        left = remaining()
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(None if left is None else left / (len(addresses) - number))
            sock.connect(address)
            bound(sock)
        except OSError as error:
            sock.close()
            trouble = error
        else:
            return sock
    raise trouble


def bound(sock: socket.socket) -> None:
    """What is sent next ends at the deadline. Raises TimeoutError if that has passed: then nothing is sent."""
    left = remaining()
    if left is not None:
        sock.settimeout(left)


class Bounded(io.RawIOBase):
    """The bytes that come from a socket: no read waits beyond the deadline. `raw` is an unbuffered file on it."""

    def __init__(self, sock: Any, raw: Any) -> None:  # noqa: ANN401 - a socket, plain or TLS
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any buffer
        bound(self._sock)
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()
