"""Keycloak's failures on the wire, played by `responses` or by a bare socket, against the real connection."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import requests
import responses

from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.failures import Gone, Invalid, RealmMissing, Taken, Unreachable, Unwell
from sync.domain.errors import Conflict, Failure, Misconfigured, NeedsPerson, Transient

URL = "https://keycloak.example.com"
TOKEN = f"{URL}/realms/fsm/protocol/openid-connect/token"
USERS = f"{URL}/admin/realms/fsm/users"
SECRET = "very-secret-of-the-client"
ACCESS = "access-token-that-nobody-may-see"
PASSWORD = "password-of-a-new-user"


@pytest.fixture
def keycloak() -> Iterator[responses.RequestsMock]:
    """A Keycloak that gives a token and, beyond that, only what the test says."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(TOKEN, json={"access_token": ACCESS, "expires_in": 300})
        yield mock


@pytest.fixture
def connection() -> Connection:
    """The connection of a service client."""
    return Connection(URL, "fsm", "fsm-worker", SECRET, timeout_seconds=2)


def failure_of(work: Callable[[], object]) -> Failure:
    with pytest.raises(Failure) as raised:
        work()
    assert raised.value.__cause__ is None
    told = f"{raised.value!s} {raised.value!r}"
    assert not any(secret in told for secret in (SECRET, ACCESS, PASSWORD)), told
    return raised.value


def sent(keycloak: responses.RequestsMock, method: str) -> list[requests.PreparedRequest]:
    return [call.request for call in keycloak.calls if call.request.method == method and call.request.url != TOKEN]


def create(connection: Connection) -> object:
    return connection.create("users", {"username": "tom", "credentials": [{"value": PASSWORD}]})


@pytest.mark.supports("H2")
def test_a_request_for_the_realm_itself_is_named(keycloak: responses.RequestsMock, connection: Connection) -> None:
    """Its path is empty, and "not reachable (GET )" reads as if something were missing."""
    keycloak.get(f"{URL}/admin/realms/fsm", body=requests.exceptions.ConnectionError("Connection refused"))
    assert str(failure_of(lambda: connection.get(""))) == f"Keycloak at {URL}: not reachable (GET the realm)"


@pytest.mark.supports("H2")
@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ReadTimeout("read timed out"),
        requests.exceptions.ConnectTimeout("connect timed out"),
        requests.exceptions.ConnectionError("Connection refused"),
        requests.exceptions.ConnectionError(ConnectionResetError(104, "Connection reset by peer")),
        requests.exceptions.ChunkedEncodingError("IncompleteRead(7 bytes read, 13 more expected)"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_request_without_an_answer_is_transient_and_sent_once(
    keycloak: responses.RequestsMock, connection: Connection, error: Exception
) -> None:
    """A POST that may have been carried out is never sent again by the connection."""
    keycloak.post(USERS, body=error)
    failure = failure_of(lambda: create(connection))
    assert isinstance(failure, Unreachable)
    assert isinstance(failure, Transient)
    assert "POST users" in str(failure)
    assert len(sent(keycloak, "POST")) == 1


@pytest.mark.supports("H2")
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_keycloak_that_is_not_well_is_transient(
    keycloak: responses.RequestsMock, connection: Connection, status: int
) -> None:
    """5xx, 408, 425 and 429 help themselves; an HTML page of a proxy is told without its tags."""
    keycloak.post(USERS, status=status, body="<html><h1>Bad</h1> gateway</html>", content_type="text/html")
    failure = failure_of(lambda: create(connection))
    assert isinstance(failure, Unwell)
    assert failure.status == status
    assert "Bad gateway" in str(failure)
    assert len(sent(keycloak, "POST")) == 1


@pytest.mark.supports("H2")
@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({"Retry-After": "90"}, timedelta(seconds=90)),
        (
            {"Date": "Mon, 02 Mar 2026 09:00:00 GMT", "Retry-After": "Mon, 02 Mar 2026 09:02:00 GMT"},
            timedelta(minutes=2),
        ),
        ({"Date": "Mon, 02 Mar 2026 09:00:00 GMT", "Retry-After": "Mon, 02 Mar 2026 08:00:00 GMT"}, timedelta()),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "9" * 30}, timedelta(days=1)),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_how_long_keycloak_or_a_proxy_asks_to_be_left_alone(
    keycloak: responses.RequestsMock,
    connection: Connection,
    status: int,
    headers: dict[str, str],
    asked: timedelta | None,
) -> None:
    """In seconds or as a date, which counts from the answer's own; what cannot be read is not guessed."""
    keycloak.get(USERS, status=status, headers=headers)
    assert failure_of(lambda: connection.get("users")).retry_after == asked


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"errorMessage":"User exists with same email"}', "User exists with same email"),
        (b'{"error":"unknown_error","error_description":"see the log"}', "see the log"),
        (b'{"errors":[{"field":"email","errorMessage":"error-invalid-email"}]}', "email: error-invalid-email"),
        (b'[{"errorMessage":"first"},{"errorMessage":"second"}]', "first; second"),
        (b'["just", "words"]', "just; words"),
        (b'{"message": {"deep": 1}}', "deep"),
        (b"null", "nothing said"),
        (b"7", "7"),
        (b'{"errorMess', "errorMess"),
        (b"\xff\xfe\x00", "�"),
        (b"", "nothing said"),
        (b"x" * 9000, "xxx"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_an_error_of_any_shape_is_told_in_keycloaks_words(
    keycloak: responses.RequestsMock, connection: Connection, body: bytes, words: str
) -> None:
    """Object, list, text, half a body, bytes that are no text: never a TypeError, never a novel."""
    keycloak.post(USERS, status=400, body=body, content_type="application/json")
    failure = failure_of(lambda: create(connection))
    assert isinstance(failure, Invalid)
    assert isinstance(failure, NeedsPerson)
    assert words in str(failure)
    assert len(str(failure)) < 400


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Invalid), (405, Invalid), (409, Taken), (415, Invalid), (422, Invalid)]
)
def test_a_refusal_is_sorted_by_its_status(
    keycloak: responses.RequestsMock, connection: Connection, status: int, kind: type[Failure]
) -> None:
    """409 is a conflict, the others need a person, also where the caller knows nothing of them."""
    keycloak.post(USERS, status=status, json={"errorMessage": "no"})
    failure = failure_of(lambda: create(connection))
    assert type(failure) is kind
    assert isinstance(failure, Conflict if status == 409 else NeedsPerson)


def test_a_missing_right_is_a_configuration_error(
    keycloak: responses.RequestsMock, connection: Connection
) -> None:
    """The message names the client and the remedy."""
    keycloak.get(USERS, status=403, json={"error": "HTTP 403 Forbidden"})
    failure = failure_of(lambda: connection.get("users"))
    assert isinstance(failure, Misconfigured)
    assert "fsm-worker" in str(failure)
    assert "realm apply" in str(failure)


def test_a_token_that_ran_out_is_renewed_and_the_request_repeated_once(
    keycloak: responses.RequestsMock, connection: Connection
) -> None:
    """401 says that nothing was carried out, so the POST may go again, with the new token."""
    keycloak.post(USERS, status=401, json={"error": "HTTP 401 Unauthorized"})
    keycloak.post(USERS, status=201, headers={"Location": f"{USERS}/the-new-id"})
    assert create(connection) == "the-new-id"
    assert len(sent(keycloak, "POST")) == 2
    assert len([call for call in keycloak.calls if call.request.url == TOKEN]) == 2


def test_a_client_that_is_not_accepted_is_not_asked_for_ever(
    keycloak: responses.RequestsMock, connection: Connection
) -> None:
    """Two 401 in a row, the second with a fresh token, are a configuration error."""
    keycloak.post(USERS, status=401, json={"error": "HTTP 401 Unauthorized"})
    assert isinstance(failure_of(lambda: create(connection)), Misconfigured)
    assert len(sent(keycloak, "POST")) == 2


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, '{"error":"invalid_client","error_description":"Invalid client"}', Misconfigured, "Invalid client"),
        (401, '{"error":"unauthorized_client"}', Misconfigured, "unauthorized_client"),
        (400, '{"error":"invalid_grant","error_description":"Account disabled"}', Misconfigured, "disabled"),
        (404, '{"error":"Realm does not exist"}', RealmMissing, "realm bootstrap"),
        (404, "<html>not here</html>", Misconfigured, "FSM_KEYCLOAK__URL"),
        (200, "<html>welcome</html>", Misconfigured, "FSM_KEYCLOAK__URL"),
        (200, '["no token"]', Misconfigured, "FSM_KEYCLOAK__URL"),
        (200, f'{{"token":"{ACCESS}"}}', Misconfigured, "FSM_KEYCLOAK__URL"),
        (400, '["list"]', Misconfigured, "list"),
        (503, "[]", Unwell, "503"),
        (500, '{"error":"unknown_error"}', Unwell, "unknown_error"),
    ],
)
def test_no_token_is_sorted_too(
    connection: Connection, status: int, body: str, kind: type[Failure], words: str
) -> None:
    """The token endpoint has its own errors; the library's trip over lists and pages must not show."""
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, status=status, body=body)
        failure = failure_of(lambda: connection.get("users"))
    assert type(failure) is kind
    assert words in str(failure)


def test_a_token_endpoint_that_is_away_is_transient_and_asked_once(connection: Connection) -> None:
    """No retry inside the library: the worker's own backoff decides."""
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, body=requests.exceptions.ConnectTimeout())
        assert isinstance(failure_of(lambda: connection.get("users")), Unreachable)
        assert len(mock.calls) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"error":"User not found"}', None),
        ('{"error":"Realm not found."}', RealmMissing),
        ('{"error":"Unable to find matching target resource method"}', Misconfigured),
        ("<html>proxy</html>", Misconfigured),
    ],
)
def test_only_keycloaks_own_answer_means_absent(
    keycloak: responses.RequestsMock, connection: Connection, body: str, kind: type[Failure] | None
) -> None:
    """A missing realm, a wrong address or a proxy's page is never an absent user."""
    html = body.startswith("<")
    keycloak.get(f"{USERS}/1", status=404, body=body, content_type="text/html" if html else "application/json")
    if kind is None:
        assert connection.find("users/1") is None
        assert isinstance(failure_of(lambda: connection.get("users/1")), Gone)
    else:
        assert type(failure_of(lambda: connection.find("users/1"))) is kind


@pytest.mark.parametrize("body", ["<html>login</html>", '{"id": "1", "userna'])
def test_a_good_answer_that_is_no_json_is_a_failure(
    keycloak: responses.RequestsMock, connection: Connection, body: str
) -> None:
    """A page of a proxy is not a user, and neither is half a body."""
    keycloak.get(f"{USERS}/1", body=body)
    assert isinstance(failure_of(lambda: connection.find("users/1")), Misconfigured)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_not_followed(
    keycloak: responses.RequestsMock, connection: Connection, status: int
) -> None:
    """It would turn a POST into a GET that looks like success, or send the body, a password in it, elsewhere."""
    keycloak.post(USERS, status=status, headers={"Location": "https://elsewhere.example.com/users"})
    failure = failure_of(lambda: create(connection))
    assert isinstance(failure, Misconfigured)
    assert "redirects" in str(failure)
    assert [call.request.url for call in keycloak.calls] == [TOKEN, USERS]


def test_a_sign_in_that_is_redirected_sends_the_secret_nowhere_else(connection: Connection) -> None:
    """The client's secret is in the body, and 307 repeats bodies."""
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, status=307, headers={"Location": "https://elsewhere.example.com/token"})
        failure = failure_of(lambda: connection.get("users"))
        assert [call.request.url for call in mock.calls] == [TOKEN]
    assert isinstance(failure, Misconfigured)
    assert "redirects" in str(failure)


def test_paths_and_parameters_arrive_as_meant(keycloak: responses.RequestsMock, connection: Connection) -> None:
    """Relative to the realm, to the realm itself, and to the root of the admin API; lists repeat a parameter."""
    keycloak.get(f"{URL}/admin/realms/fsm/events", json=[])
    keycloak.get(f"{URL}/admin/realms/fsm", json={"realm": "fsm"})
    keycloak.post(f"{URL}/admin/realms", status=201)
    connection.get("events", type=["LOGIN", "LOGIN_ERROR"], first=0)
    assert connection.get("") == {"realm": "fsm"}
    assert connection.post("/realms", {"realm": "fsm"}) is None
    urls = [call.request.url for call in keycloak.calls]
    assert f"{URL}/admin/realms/fsm/events?type=LOGIN&type=LOGIN_ERROR&first=0" in urls
    assert json.loads(sent(keycloak, "POST")[0].body or "") == {"realm": "fsm"}


def test_a_secret_is_in_no_repr(connection: Connection) -> None:
    """A connection may end up in a log."""
    administrator = Connection.as_administrator(URL, "fsm", "admin", SECRET)
    assert SECRET not in f"{connection!r}{administrator!r}"
    assert "admin" in repr(administrator)


@contextmanager
def misbehaving_server(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Answers each token request well and each other request with these bytes, then hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    requests_seen: list[bytes] = []
    body = json.dumps({"access_token": ACCESS, "expires_in": 300}).encode()
    good = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
    )

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                request = peer.recv(65536)
                requests_seen.append(request.partition(b"\r\n")[0])
                peer.sendall(good % (len(body), body) if b"/token" in requests_seen[-1] else answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests_seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@pytest.mark.supports("H1")
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 201 Crea",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n[{",
    ],
    ids=["reset", "half a header", "half a body"],
)
def test_a_connection_that_breaks_during_a_post_sends_it_once(answer: bytes) -> None:
    """On a real socket, through every layer that could retry."""
    with misbehaving_server(answer) as (url, seen):
        connection = Connection(url, "fsm", "fsm-worker", SECRET, timeout_seconds=5)
        failure = failure_of(lambda: create(connection))
    assert isinstance(failure, Unreachable)
    assert [line for line in seen if b"/users" in line] == [b"POST /admin/realms/fsm/users HTTP/1.1"]


@pytest.mark.supports("H2")
@pytest.mark.parametrize(
    ("answer", "kind"),
    [(b"", Unreachable), (b"HTTP/1.1 400 Bad Request\r\n\r\n", Misconfigured)],
    ids=["hangs up", "speaks no TLS"],
)
def test_a_handshake_that_breaks_off_is_no_wrong_certificate(answer: bytes, kind: type[Failure]) -> None:
    """A proxy that restarts hangs up in the middle of it: that passes; a server without TLS does not."""
    with misbehaving_server(answer) as (url, _):
        connection = Connection(url.replace("http:", "https:"), "fsm", "fsm-worker", SECRET, timeout_seconds=5)
        assert type(failure_of(lambda: connection.get("users"))) is kind


def test_a_forked_process_opens_its_own_connection(
    keycloak: responses.RequestsMock, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes on one socket would read each other's answers."""
    keycloak.get(USERS, json=[])
    connection.get("users")
    mine = connection._signed_in()
    assert connection._signed_in() is mine
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert connection._signed_in() is not mine


def test_nothing_connects_before_the_first_request() -> None:
    """Systems are put together before the workers fork."""
    made: dict[str, Any] = vars(Connection("http://127.0.0.1:1", "fsm", "fsm-worker", SECRET))
    assert made["_opened"] is None
