"""The example FSM system, served over HTTP on a real socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn

from examples.fsm_server import create_app
from sync.devstack.ports import free_ports

FSM_TOKEN = "token-of-the-example-fsm"
Serve = Callable[[str], str]


@pytest.fixture
def serve_fsm() -> Iterator[Serve]:
    """Serves the example FSM database that is named; answers the address. Ended with the test."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def serve(database_url: str) -> str:
        [port] = free_ports(1)
        app = create_app(database_url, FSM_TOKEN)
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline, "the example FSM server does not start"
            time.sleep(0.01)
        return f"http://127.0.0.1:{port}"

    yield serve
    for server, thread in running:
        server.should_exit = True
        thread.join(10)
