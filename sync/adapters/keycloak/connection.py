"""The way to Keycloak's admin API: JSON in, JSON out, and each trouble a `Failure` of the domain.

Built on python-keycloak's signed-in connection, which brings tokens and a pool of connections; everything
that goes to Keycloak from the gateway and from the realm configuration passes here. A request is sent once:
only one that was answered with 401, and so was not carried out, is sent again with a fresh token.
"""

from __future__ import annotations

import json
import os
import threading
import time
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeAlias
from urllib.parse import quote

import requests
from keycloak import ConnectionManager, KeycloakOpenIDConnection
from keycloak.exceptions import KeycloakConnectionError

from sync.adapters import deadline
from sync.adapters.keycloak import failures
from sync.adapters.requests_in_time import DeadlineAdapter

Json: TypeAlias = Any
"""What json.loads may answer; its shape is Keycloak's REST API."""

POOL = 8

SET_UP_SECONDS = 60.0
"""Making a realm takes Keycloak seconds, and more than ten on a busy machine after its first start
(fact: a-new-realm-takes-seconds)."""

NO_REDIRECTS = 0
"""requests would follow them, and a 307 sends the body, with our secret or a password in it, anywhere."""


class Connection:
    """One realm of one Keycloak, as one client or administrator.

    The sockets and the token are made at the first request and made anew in a forked process, which must not
    share them. Paths are relative to `admin/realms/{realm}/` ("" is the realm itself); a path that begins with
    "/" is relative to `admin`, so `post("/realms", …)` creates a realm. Put names into paths with `segment`.
    `timeout_seconds` bounds a whole request: the sign-in it may need, finding and reaching the host, sending, and
    the answer, however slowly it comes. It counts from before the lease of whoever asks is kept
    (`sync.ports.lease`).

    Every method raises a `Failure`: Unreachable and Unwell (Transient), Misconfigured, Gone and Invalid
    (NeedsPerson), Taken (Conflict).
    """

    def __init__(
        self,
        url: str,
        realm: str,
        client_id: str,
        secret: str,
        *,
        timeout_seconds: float = 10.0,
        pool: int = POOL,
        credential: str = "its secret",
        installation: str | None = None,
    ) -> None:
        """`credential` is what messages call the secret, best by the setting it comes from. `installation` is the
        id of the database that users are written for (`checks.realm`); None where none are."""
        self.url = url.rstrip("/")
        self.realm = realm
        self.installation = installation
        self._who = f"client {client_id!r}"
        self._credential = credential
        self._credentials: dict[str, Any] = {
            "realm_name": realm,
            "client_id": client_id,
            "client_secret_key": secret,
            "grant_type": "client_credentials",
        }
        self._timeout = timeout_seconds
        self._pool = pool
        self._opened: tuple[int, _SignedIn] | None = None
        self._opening = threading.Lock()

    @classmethod
    def as_administrator(
        cls, url: str, realm: str, username: str, password: str, *, timeout_seconds: float = SET_UP_SECONDS
    ) -> Self:
        """A connection to `realm` as an administrator of the master realm: for setting a realm up, once."""
        connection = cls(url, realm, "admin-cli", "", timeout_seconds=timeout_seconds)
        connection._who = f"administrator {username!r}"
        connection._credential = "the password"
        connection._credentials = {
            "realm_name": realm,
            "user_realm_name": "master",
            "client_id": "admin-cli",
            "username": username,
            "password": password,
            "grant_type": "password",
        }
        return connection

    def get(self, path: str, **params: object) -> Json:
        """The JSON at the path. A list as parameter is sent once for each element."""
        doing = _told("GET", path)
        answered = self._read(self._answer("GET", path, params=params), doing)
        if answered is None:
            raise failures.not_json(doing, self.url)
        return answered

    def find(self, path: str, **params: object) -> Json | None:
        """Like `get`; None where Keycloak itself says that the thing does not exist. A realm that does not
        exist, a wrong address or a proxy that answers 404 is an error, not an absence."""
        try:
            return self.get(path, **params)
        except failures.Gone:
            return None

    def post(self, path: str, payload: Json = None) -> Json | None:
        """The JSON answered, None where there is none."""
        return self._read(self._answer("POST", path, payload), _told("POST", path))

    def create(self, path: str, payload: Json) -> str:
        """POST something new and answer its id: the last part of the Location header."""
        response = self._answer("POST", path, payload)
        if "Location" not in response.headers:
            raise failures.broken_off(_told("POST", path), self.url)
        return response.headers["Location"].rstrip("/").rpartition("/")[2]

    def put(self, path: str, payload: Json = None) -> Json | None:
        """The JSON answered, None where there is none."""
        return self._read(self._answer("PUT", path, payload), _told("PUT", path))

    def delete(self, path: str, payload: Json = None) -> None:
        self._answer("DELETE", path, payload)

    def server_time(self) -> datetime:
        """The time by Keycloak's clock, to the second: its tokens say when they were issued (RFC 7519, `iat`), and
        our clock only counts from there. Keycloak sends no Date (fact: answers-have-no-date). Signs in if need be;
        raises a Failure."""
        signed_in = self._signed_in()
        if signed_in.issued is None:
            with deadline.within(self._timeout):
                signed_in.refresh_token()
        if signed_in.issued is None:
            raise failures.not_json("sign-in", self.url)
        at, counted = signed_in.issued
        return at + timedelta(seconds=time.monotonic() - counted)

    def _answer(
        self, method: str, path: str, payload: Json = None, params: dict[str, object] | None = None
    ) -> requests.Response:
        doing = _told(method, path)
        signed_in = self._signed_in()
        try:
            with deadline.within(self._timeout):
                response = signed_in.send(method, self._address(path), payload, params or {})
        except KeycloakConnectionError as error:
            raise failures.no_answer(doing, self.url, error) from None
        if not response.ok:
            raise failures.refused(doing, response, who=self._who, realm=self.realm)
        return response

    def _read(self, response: requests.Response, doing: str) -> Json | None:
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError:
            raise failures.not_json(doing, self.url) from None

    def _address(self, path: str) -> str:
        if path.startswith("/"):
            return f"admin{path}"
        return f"admin/realms/{segment(self.realm)}/{path}".rstrip("/")

    def _signed_in(self) -> _SignedIn:
        opened = self._opened
        if opened is not None and opened[0] == os.getpid():
            return opened[1]
        with self._opening:
            opened = self._opened
            if opened is None or opened[0] != os.getpid():
                signed_in = _SignedIn(
                    self._who, self._credential, self.url, self._timeout, self._pool, self._credentials
                )
                opened = os.getpid(), signed_in
                self._opened = opened
            return opened[1]

    def __repr__(self) -> str:
        return f"Connection({self.url!r}, {self.realm!r}, {self._who})"


def _told(method: str, path: str) -> str:
    """A request as messages name it. The empty path is the realm itself."""
    return f"{method} {path or 'the realm'}"


def segment(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


class _SignedIn(KeycloakOpenIDConnection):
    """python-keycloak's connection without its retries.

    In 7.1.1 (fact: python-keycloak-repeats-requests) `max_retries=1` would send a POST again after a dropped
    connection; a 401 is answered by `refresh_token()` and one repetition; an expired token is renewed before a
    request. Its own sign-in retries once and trips over an error that is a list, so the token is fetched here;
    afresh each time, for client credentials have no refresh token and an administrator's may have ended with
    Keycloak's restart.
    """

    def __init__(
        self, who: str, credential: str, url: str, timeout: float, pool: int, credentials: dict[str, Any]
    ) -> None:
        self._who = who
        self._credential = credential
        self._url = url
        self._form = {
            "client_id": credentials["client_id"],
            "client_secret": credentials.get("client_secret_key"),
            "username": credentials.get("username"),
            "password": credentials.get("password"),
            "grant_type": credentials["grant_type"],
        }
        self._token_realm: str = credentials.get("user_realm_name", credentials["realm_name"])
        self._tokens = ConnectionManager(f"{url}/", timeout=timeout, max_retries=0)  # type: ignore[arg-type] # fractions work
        self._signing_in = threading.Lock()
        self.issued: tuple[datetime, float] | None = None
        super().__init__(
            server_url=f"{url}/",
            timeout=timeout,  # type: ignore[arg-type] # fractions work
            max_retries=0,
            pool_maxsize=pool,
            **credentials,
        )
        for session in (self._s, self._tokens._s):
            session.max_redirects = NO_REDIRECTS
            for scheme in ("https://", "http://"):
                session.mount(scheme, DeadlineAdapter(pool))

    def send(self, method: str, address: str, payload: Json, params: dict[str, Any]) -> requests.Response:
        body = "" if payload is None else json.dumps(payload)
        match method:
            case "GET":
                return self.raw_get(address, **params)
            case "POST":
                return self.raw_post(address, body)
            case "PUT":
                return self.raw_put(address, body)
            case _:
                return self.raw_delete(address, body)

    def refresh_token(self) -> None:
        with self._signing_in:
            self.get_token()

    def get_token(self) -> None:
        """Sign in. Raises a Failure."""
        address = f"realms/{segment(self._token_realm)}/protocol/openid-connect/token"
        try:
            response = self._tokens.raw_post(address, self._form)
        except KeycloakConnectionError as error:
            raise failures.no_answer("sign-in", self._url, error) from None
        token = _token(response)
        if token is None:
            raise failures.sign_in_refused(
                response, who=self._who, credential=self._credential, realm=self._token_realm, url=self._url
            )
        self.token = token
        issued = _issued_at(token["access_token"])
        self.issued = None if issued is None else (issued, time.monotonic())


def _token(response: requests.Response) -> dict[str, Any] | None:
    """The token and its life in seconds (RFC 6749 section 5.1), None if the answer is anything else."""
    if not response.ok:
        return None
    try:
        match response.json():
            case {"access_token": str(access), "expires_in": int(seconds)}:
                return {"access_token": access, "expires_in": seconds}
    except ValueError:
        return None
    return None


def _issued_at(access_token: str) -> datetime | None:
    """When the token was issued, by Keycloak's clock. Nothing is verified here: we asked for it ourselves."""
    try:
        part = access_token.split(".")[1]
        return datetime.fromtimestamp(json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))["iat"], UTC)
    except (IndexError, KeyError, ValueError, TypeError):
        return None
