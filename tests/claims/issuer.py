"""An issuer of our own: signs tokens with real keys and publishes them over HTTP on the loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

NOW = 1_800_000_000
"""The time of these tests, in seconds since 1970."""

PERSON: Mapping[str, Any] = {
    "profile": "dispatcher",
    "features": ["scheduling", "work-orders"],
    "branch": "hamburg",
    "branches": ["hamburg"],
    "team": "hamburg-north",
    "data_access": "branch",
    "technician_id": "T-0042",
}


@dataclass
class Issuer:
    """`published` is what the JWKS address answers; `status` its HTTP status; `asked` counts the requests."""

    url: str = ""
    keys: list[RSAKey | ECKey] = field(default_factory=lambda: [first_key()])
    status: int = 200
    asked: int = 0
    extra: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The payload of a good token; a change to `...` leaves the claim out."""
        payload: dict[str, Any] = {
            "iss": self.url,
            "sub": "0192f0c1-0000-7000-8000-000000000001",
            "aud": ["work-orders", "account"],
            "azp": "mobile-app",
            "typ": "Bearer",
            "sid": "session-1",
            "iat": NOW - 60,
            "exp": NOW + 240,
            "fsm": dict(PERSON),
        }
        payload.update(changes)
        return {name: value for name, value in payload.items() if value is not ...}

    def token(self, key: RSAKey | ECKey | None = None, *, alg: str = "RS256", **changes: Any) -> str:
        return self.sign({"alg": alg}, self.claims(**changes), key)

    def sign(self, header: dict[str, Any], payload: dict[str, Any], key: RSAKey | ECKey | None = None) -> str:
        key = key or self.keys[0]
        header = {"typ": "JWT", "kid": key.kid, **header}
        return jwt.encode(header, payload, key, registry=JWSRegistry(algorithms=[header["alg"]]))

    def document(self) -> dict[str, Any]:
        return {"keys": [*self.extra, *(key.as_dict(private=False) for key in self.keys)]}


@cache
def first_key() -> RSAKey:
    """Every issuer starts with this key: making one takes a tenth of a second."""
    return rsa_key("first")


def rsa_key(key_id: str, **parameters: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": key_id, "use": "sig", **parameters})  # type: ignore[typeddict-item]


def ec_key(key_id: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": key_id, "use": "sig"})


class Seconds:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.value = 0.0

    def __call__(self) -> float:
        return self.value


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            issuer.paths.append(self.path)
            body = json.dumps(issuer.document()).encode()
            self.send_response(issuer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
            """Say nothing: the test asserts on `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=partial(server.serve_forever, poll_interval=0.02), daemon=True).start()
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}/realms/fsm"
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
