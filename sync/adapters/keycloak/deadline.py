"""One deadline for a whole request: waiting for the connection, TLS, sending, and reading however slowly it drips.

requests bounds each wait for bytes by itself, so an answer that drips would never end. Whoever sends names the
deadline of its thread with `within`; the connections made here look it up before they wait. Only the name of the
host is looked up with the limits of the system.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.timeout import Timeout

from sync.ports.lease import before_request

_thread = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All requests of this thread end within so many seconds from now, together."""
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
        raise TimeoutError("the deadline of the request has passed")
    return left


class DeadlineAdapter(HTTPAdapter):
    """An adapter of requests whose requests end in time. It never sends a request again."""

    def __init__(self, pool: int) -> None:
        super().__init__(pool_maxsize=pool, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the signature is requests'
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the signature is requests'
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401 - the signature is requests'
        """The lease is kept inside the deadline: who was stopped for long after that sends nothing."""
        before_request()
        try:
            left = remaining()
        except TimeoutError as error:
            raise requests.exceptions.ReadTimeout(str(error), request=request) from None
        if left is not None:
            kwargs["timeout"] = Timeout(total=left, connect=left, read=left)
        return super().send(request, *args, **kwargs)


class _Bounded(io.RawIOBase):
    """The bytes of one answer: no read waits beyond the deadline."""

    def __init__(self, sock: Any, raw: Any) -> None:  # noqa: ANN401 - a socket, plain or TLS
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any buffer
        left = remaining()
        if left is not None:
            self._sock.settimeout(left)
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the signature is http.client's
        super().__init__(sock, *args, **kwargs)
        self.fp: Any = io.BufferedReader(_Bounded(sock, self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _Response


class _TlsConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


POOLS = {"http": _Pool, "https": _TlsPool}
