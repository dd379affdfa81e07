"""Connections of requests that keep the deadline of the thread (`sync.adapters.deadline`), and the lease of
whoever asks: each request to Keycloak, sign-ins and repetitions too, and to the FSM system over HTTP passes here.
"""

from __future__ import annotations

import io
import socket
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.timeout import Timeout

from sync.adapters.deadline import Bounded, bound, connected, remaining
from sync.ports.lease import before_request

LONGEST_RETRY_AFTER = 86_400
"""Seconds; whoever asks for longer means "not today", and the ladder waits less in any case."""


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


class _Response(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the signature is http.client's
        super().__init__(sock, *args, **kwargs)
        self.fp: Any = io.BufferedReader(Bounded(sock, self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        try:
            return connected(self._dns_host.strip("[]"), self.port or self.default_port, self.socket_options or ())
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no connection to {self.host} in time") from error
        except OSError as error:
            raise NewConnectionError(self, f"no connection to {self.host}: {error}") from error

    def send(self, data: Any) -> None:  # noqa: ANN401 - the signature is http.client's
        if self.sock is None:
            self.connect()
        bound(self.sock)
        super().send(data)


class _TlsConnection(_Connection, HTTPSConnection):
    """The TLS handshake has the time that was left for connecting."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


POOLS = {"http": _Pool, "https": _TlsPool}


def retry_after(response: requests.Response) -> timedelta | None:
    """How long the answer asks to be left alone: seconds, or a date of HTTP (RFC 9110, sections 10.2.3 and 5.6.7).
    A date counts from the answer's own, where it has one, for clocks differ. None: it does not say."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return timedelta(seconds=min(int(said), LONGEST_RETRY_AFTER))
    until, now = _http_date(said), _http_date(response.headers.get("Date", "")) or datetime.now(UTC)
    return None if until is None else max(timedelta(), until - now)


def _http_date(said: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
