"""Connections of requests that keep the deadline of the thread (`sync.adapters.deadline`), and the lease of
whoever asks: each request of python-keycloak passes here, sign-ins and repetitions too."""

from __future__ import annotations

import io
import socket
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
