"""The realm that the gateway tests run on, and an administrator's hand in it beside the gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from mappings.policy import Policy
from tests.realms import configure
from tests.services import KeycloakServer

LOGIN_CLIENT = "login-probe"
FOREIGN_ATTRIBUTE = "shoe_size"
LOCK_SOON = {"failureFactor": 3, "quickLoginCheckMilliSeconds": 0, "waitIncrementSeconds": 900}


@dataclass
class RealmAdmin:
    """The realm seen by an administrator, beside the gateway. Its token is renewed when it has run out."""

    server: KeycloakServer
    name: str
    secrets: Mapping[str, str] = field(repr=False)
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def url(self) -> str:
        return f"{self.server.url}/admin/realms/{self.name}"

    def call(self, method: str, path: str, body: object = None) -> requests.Response:
        """One request below the realm; any answer but a success or 404 fails the test."""
        answer = self.session.request(method, self._at(path), json=body, timeout=30)
        if answer.status_code == 401:
            self.session = self.server.session()
            answer = self.session.request(method, self._at(path), json=body, timeout=30)
        assert answer.ok or answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer

    def read(self, path: str) -> Any:
        return self.call("GET", path).json()

    def group_id(self, path: str) -> str:
        return str(self.read(f"group-by-path{path}")["id"])

    def client_id(self, name: str) -> str:
        return str(self.read(f"clients?clientId={name}")[0]["id"])

    def token(self, **form: str) -> requests.Response:
        """Ask the realm's token endpoint as the login client."""
        return requests.post(
            f"{self.server.url}/realms/{self.name}/protocol/openid-connect/token",
            data={"client_id": LOGIN_CLIENT, **form},
            timeout=30,
        )

    @contextmanager
    def with_settings(self, **changed: object) -> Iterator[None]:
        """Meanwhile the realm has these settings; afterwards those of before."""
        before = self.read("")
        self.call("PUT", "", changed)
        try:
            yield
        finally:
            self.call("PUT", "", {name: before.get(name) for name in changed})

    def _at(self, path: str) -> str:
        return f"{self.url}/{path}" if path else self.url


def make_realm(server: KeycloakServer, name: str, policy: Policy) -> RealmAdmin:
    """The realm as `fsm-identity realm apply` makes it, and beside it what is not ours: a client to log in with,
    a group, a role, an attribute."""
    configured = configure(server, name, policy)
    admin = RealmAdmin(server, name, configured.secrets)
    client = {"clientId": LOGIN_CLIENT, "publicClient": True, "directAccessGrantsEnabled": True}
    admin.call("POST", "clients", client)
    admin.call("POST", "groups", {"name": "elsewhere"})
    admin.call("POST", "roles", {"name": "outside-role"})
    profile = admin.read("users/profile")
    profile["attributes"].append(
        {"name": FOREIGN_ATTRIBUTE, "permissions": {"view": ["admin"], "edit": ["admin"]}}
    )
    admin.call("PUT", "users/profile", profile)
    admin.call("PUT", "", LOCK_SOON)
    return admin
