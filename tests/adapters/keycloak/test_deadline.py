"""A request ends in time however slowly its answer comes."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import pytest

from sync.adapters import deadline, requests_in_time
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.failures import Unreachable

DEADLINE = 0.6
PAUSE = 0.1
"""Between two bytes: far less than the deadline, so that no single wait for bytes is ever too long."""

TOKEN = json.dumps({"access_token": "token", "expires_in": 300}).encode()
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


@contextmanager
def dripping_server(drips: Mapping[bytes, bytes]) -> Iterator[str]:
    """Answers the sign-in at once and everything else with `[]`, except what `drips` names by a part of its path:
    that begins with the bytes given and goes on for ever, one byte at a time."""
    listener, ended = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def answer(peer: socket.socket) -> None:
        with peer, suppress(OSError), peer.makefile("rb") as requests:
            while line := requests.readline():
                headers = dict(each.lower().split(b":", 1) for each in iter(requests.readline, b"\r\n"))
                requests.read(int(headers.get(b"content-length", 0)))
                slow = next((begins for path, begins in drips.items() if path in line), None)
                if slow is None:
                    body = TOKEN if b"/token" in line else b"[]"
                    peer.sendall(GOOD % (len(body), body))
                    continue
                peer.sendall(slow)
                while not ended.wait(PAUSE):
                    peer.sendall(b" ")

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@pytest.mark.supports("H1", "H2")
@pytest.mark.parametrize(
    "drips",
    [
        {b"/users": b""},
        {b"/users": b"HTTP/1.1 200 OK\r\nX-Slow: "},
        {b"/users": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n["},
        {b"/token": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"},
    ],
    ids=["nothing but blanks", "the headers", "the body", "the sign-in"],
)
def test_an_answer_that_drips_ends_at_the_deadline(drips: Mapping[bytes, bytes]) -> None:
    """Each wait for bytes is short; the whole is not."""
    with dripping_server(drips) as url:
        connection = Connection(url, "fsm", "fsm-worker", "secret", timeout_seconds=DEADLINE)
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="no answer in time"):
            connection.get("users")
        assert time.monotonic() - begun < 10 * DEADLINE, "it would never end"


@pytest.mark.supports("H1")
def test_a_deadline_is_of_one_request_and_not_of_the_connection() -> None:
    """Many quick requests may take longer together, also on a connection that is used again."""
    with dripping_server({}) as url:
        connection = Connection(url, "fsm", "fsm-worker", "secret", timeout_seconds=DEADLINE)
        until = time.monotonic() + 2 * DEADLINE
        while time.monotonic() < until:
            assert connection.get("users") == []


@pytest.mark.supports("H1")
def test_a_name_that_is_looked_up_for_ever_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of the system's own resolver are longer than a lease."""
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(60))
    connection = Connection("http://keycloak.example.com", "fsm", "fsm-worker", "secret", timeout_seconds=0.2)
    with pytest.raises(Unreachable, match="in time"):
        connection.get("users")
    answered.set()


@pytest.mark.supports("H2")
def test_another_address_of_the_host_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a restart, when one of two is not there yet."""
    with dripping_server({}) as url, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = int(url.rpartition(":")[2])
        first, second = (
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", each)
            for each in (nobody.getsockname(), ("127.0.0.1", port))
        )
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [first, second])
        connection = Connection("http://keycloak.example.com", "fsm", "fsm-worker", "secret")
        assert connection.get("users") == []


@pytest.mark.supports("H1")
def test_who_was_frozen_while_connecting_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last look at the deadline is right before the bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        reach = requests_in_time.connected

        def frozen(host: str, port: int, options: Sequence[tuple[int, int, int]]) -> socket.socket:
            sock = reach(host, port, options)
            now = time.monotonic() + 60
            monkeypatch.setattr(deadline.time, "monotonic", lambda: now)
            return sock

        monkeypatch.setattr(requests_in_time, "connected", frozen)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(Unreachable, match="in time"):
            Connection(url, "fsm", "fsm-worker", "secret").get("users")
        peer, _ = server.accept()
        with peer:
            peer.settimeout(5)
            assert peer.recv(1) == b"", "it was closed, with nothing sent"
