"""Which failures say that Keycloak cannot be used at all, and which are about one row: circuits need it (H2)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
import responses

from sync.adapters.keycloak.connection import Connection
from sync.domain.errors import Failure

URL = "https://keycloak.example.com"
TOKEN = f"{URL}/realms/fsm/protocol/openid-connect/token"
USER = f"{URL}/admin/realms/fsm/users/u1"
JSON = "application/json"


@pytest.fixture
def keycloak() -> Iterator[responses.RequestsMock]:
    """A Keycloak that gives a token and, beyond that, only what the test says."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(TOKEN, json={"access_token": "token", "expires_in": 300})
        yield mock


@pytest.fixture
def connection() -> Connection:
    """The connection of a service client."""
    return Connection(URL, "fsm", "fsm-worker", "secret", timeout_seconds=2)


def asked(connection: Connection, method: str) -> Failure:
    with pytest.raises(Failure) as raised:
        connection.get("users/u1") if method == "GET" else connection.put("users/u1", {})
    return raised.value


@pytest.mark.supports("H2")
@pytest.mark.parametrize(
    ("method", "status", "body", "everybodys"),
    [
        ("PUT", 500, '{"error":"unknown_error"}', False),
        ("GET", 500, '{"error":"unknown_error"}', True),
        ("PUT", 502, "<html>Bad gateway</html>", True),
        ("PUT", 503, "", True),
        ("GET", 429, "", True),
        ("PUT", 400, '{"errorMessage":"error-invalid-email"}', False),
        ("PUT", 409, '{"errorMessage":"User exists with same email"}', False),
        ("GET", 404, '{"error":"User not found"}', False),
        ("GET", 404, '{"error":"Realm not found."}', True),
        ("GET", 401, '{"error":"HTTP 401 Unauthorized"}', True),
        ("GET", 403, '{"error":"HTTP 403 Forbidden"}', True),
        ("GET", 200, '{"id": "u1", "usern', True),
    ],
)
def test_an_answer_tells_whether_the_next_account_would_meet_it_too(
    keycloak: responses.RequestsMock, connection: Connection, method: str, status: int, body: str, everybodys: bool
) -> None:
    """A bad row, a taken name and a missing user say nothing about Keycloak."""
    keycloak.add(method, USER, status=status, body=body, content_type="text/html" if "<" in body else JSON)
    assert (asked(connection, method).system == "keycloak") is everybodys


@pytest.mark.supports("H2")
@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ReadTimeout("late"),
        requests.exceptions.ConnectionError("refused"),
        requests.exceptions.SSLError("certificate verify failed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_answer_is_everybodys(
    keycloak: responses.RequestsMock, connection: Connection, error: Exception
) -> None:
    """Whatever was asked."""
    keycloak.put(USER, body=error)
    assert asked(connection, "PUT").system == "keycloak"


@pytest.mark.supports("H2")
@pytest.mark.parametrize(
    ("status", "body"),
    [(401, '{"error":"invalid_client"}'), (404, '{"error":"Realm does not exist"}'), (500, "[]"), (200, "<html>")],
)
def test_no_sign_in_is_everybodys(connection: Connection, status: int, body: str) -> None:
    """Also in the middle of work, when the token has run out and the secret was renewed meanwhile."""
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, json={"access_token": "token", "expires_in": 300})
        mock.get(USER, status=401, json={"error": "HTTP 401 Unauthorized"})
        mock.post(TOKEN, status=status, body=body)
        assert asked(connection, "GET").system == "keycloak"
