"""Both places that keep a head take the same line, and say what to mend where they cannot (G1)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sync.adapters.anchors import FileAnchor, WebAnchor
from sync.domain.audit.anchor import anchors_in
from sync.domain.audit.link import Head
from sync.domain.errors import Misconfigured, Transient

pytestmark = pytest.mark.supports("G1")

HEADS = [Head(3, "a" * 64), Head(9, "b" * 64)]
NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


class Ledger(HTTPServer):
    """A web address that keeps what it gets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.kept: list[str] = []
        self.bearers: list[str | None] = []
        self.status = 204


class Answer(BaseHTTPRequestHandler):
    server: Ledger

    def do_POST(self) -> None:
        self.server.kept.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.bearers.append(self.headers["Authorization"])
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def url(ledger: Ledger) -> str:
    return f"http://127.0.0.1:{ledger.server_port}/heads"


def test_a_file_gets_a_line_each_time(tmp_path: Path) -> None:
    """What was in it stays, and it is what `audit verify` reads."""
    path = tmp_path / "heads.jsonl"
    for head in HEADS:
        FileAnchor(path).keep(head, NOW)
    assert anchors_in(path.read_text().splitlines()) == {each.number: each.hash for each in HEADS}


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With the setting."""
    with pytest.raises(Misconfigured, match=r"no-folder/heads.*FSM_AUDIT__ANCHOR_FILE"):
        FileAnchor(tmp_path / "no-folder" / "heads.jsonl").keep(HEADS[0], NOW)


def test_an_address_gets_the_same_line(ledger: Ledger) -> None:
    """With the secret, if there is one."""
    for head in HEADS:
        WebAnchor(url(ledger), "the-secret-of-the-test").keep(head, NOW)
    WebAnchor(url(ledger), None).keep(HEADS[1], NOW)
    assert anchors_in(ledger.kept) == {each.number: each.hash for each in HEADS}
    assert ledger.bearers == ["Bearer the-secret-of-the-test"] * 2 + [None]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Misconfigured), (404, Misconfigured), (429, Transient), (503, Transient), (302, Transient)],
)
def test_an_address_that_does_not_take_it_is_told(ledger: Ledger, status: int, kind: type[Exception]) -> None:
    """What a person has to mend, and what passes; nothing goes to another address, no secret is told."""
    ledger.status = status
    with pytest.raises(kind, match=f"HTTP {status}") as raised:
        WebAnchor(url(ledger), "the-secret-of-the-test").keep(HEADS[0], NOW)
    assert "the-secret" not in str(raised.value)
    assert len(ledger.kept) == 1


def test_an_address_that_nobody_serves_is_told() -> None:
    """It comes again by itself."""
    with pytest.raises(Transient, match="does not answer"):
        WebAnchor("http://127.0.0.1:9/heads", None).keep(HEADS[0], NOW)
