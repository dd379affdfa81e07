"""Whether Keycloak answers people: asked with a limit of its own, whatever the other side does (H3)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import responses

from sync.adapters.keycloak.answering import PATIENCE_SECONDS, KeycloakAnswering
from sync.domain.operations import ASKED_EVERY
from tests.adapters.keycloak.test_deadline import dripping_server

pytestmark = pytest.mark.supports("H3", "H6")

PATIENCE = 0.5
REALM = "http://keycloak.example.com/realms/fsm"


@contextmanager
def frozen_server() -> Iterator[str]:
    """The kernel takes its connections, and it never reads them: a process that stands still."""
    listener = socket.create_server(("127.0.0.1", 0))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/realms/fsm"
    listener.close()


def test_a_frozen_keycloak_is_given_up_in_time() -> None:
    """A question never outlasts the time until the next one."""
    assert ASKED_EVERY.total_seconds() > PATIENCE_SECONDS
    began = time.monotonic()
    with frozen_server() as url:
        assert KeycloakAnswering(url, PATIENCE).ask() == "no answer within 0.5 s"
    assert time.monotonic() - began < 4 * PATIENCE


def test_an_answer_that_drips_is_given_up_in_time() -> None:
    """Each byte comes soon, and the answer never."""
    began = time.monotonic()
    with dripping_server({b"openid-configuration": b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"}) as url:
        assert KeycloakAnswering(f"{url}/realms/fsm", PATIENCE).ask() == "no answer within 0.5 s"
    assert time.monotonic() - began < 4 * PATIENCE


def test_nobody_there_is_told() -> None:
    assert KeycloakAnswering("http://127.0.0.1:9/realms/fsm").ask() == "not reachable (ConnectionError)"


@pytest.mark.parametrize(
    ("status", "told"), [(200, None), (404, "the realm does not exist"), (503, "answers HTTP 503")]
)
@responses.activate
def test_what_it_answers_is_told(status: int, told: str | None) -> None:
    """Without a login of ours: whoever logs in has none either."""
    responses.get(f"{REALM}/.well-known/openid-configuration", status=status, json={})
    assert KeycloakAnswering(REALM).ask() == told
    assert "Authorization" not in responses.calls[0].request.headers
