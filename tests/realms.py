"""A realm as fsm-identity makes it: bootstrapped and configured by the real code, removed after the module.

Tests that need one take the fixture `configured_realm`; `tests/conftest.py` knows it.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import requests

import mappings
from mappings.policy import Policy
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.realm.keycloak_realm import KeycloakRealm
from sync.domain.realm.difference import RealmPlan
from sync.domain.realm.options import (
    CONFIGURE_CLIENT,
    CONSOLE_CLIENT,
    IMPORT_CLIENT,
    WORKER_CLIENT,
    MailServer,
    RealmOptions,
)
from sync.realm import plan as realm_as_code
from tests.services import KeycloakServer
from tests.waiting import wait_until

PUBLIC_URL = "http://127.0.0.1:8000"
PASSWORD = "Correct-horse-7-battery"


@dataclass
class ConfiguredRealm:
    """One realm; `secrets` by client id."""

    server: KeycloakServer
    realm: str
    policy: Policy
    options: RealmOptions = field(repr=False)
    _admin: requests.Session = field(default_factory=requests.Session, init=False, repr=False)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def secrets(self) -> dict[str, str]:
        return dict(self.options.secrets)

    def connection(self, client_id: str = CONFIGURE_CLIENT) -> Connection:
        return Connection(self.url, self.realm, client_id, self.secrets[client_id])

    def gateway(self, client_id: str = CONFIGURE_CLIENT) -> KeycloakRealm:
        """The realm as the service client sees it."""
        return KeycloakRealm(self.connection(client_id))

    def path(self, path: str = "") -> str:
        """The address of something in the realm's admin API."""
        return f"{self.url}/admin/realms/{self.realm}/{path}".rstrip("/")

    def get(self, path: str = "", **params: Any) -> Any:
        return self._answer("GET", path, params=params).json()

    def send(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self._answer(method, path, json=body)

    def _answer(self, method: str, path: str, **sent: Any) -> requests.Response:
        """As the master realm's administrator, whose token lives a minute and is renewed when it has run out."""
        answer = self._admin.request(method, self.path(path), timeout=30, **sent)
        if answer.status_code == 401:
            self._admin = self.server.session()
            answer = self._admin.request(method, self.path(path), timeout=30, **sent)
        answer.raise_for_status()
        return answer

    def create_user(
        self,
        *groups: str,
        username: str | None = None,
        password: str | None = PASSWORD,
        temporary: bool = False,
        **fields: Any,
    ) -> str:
        """Make an enabled user in these groups by the plain admin API; answers its id."""
        name = username or f"u{secrets.token_hex(5)}@example.com"
        user = {
            "username": name,
            "email": name,
            "emailVerified": True,
            "firstName": "Kim",
            "lastName": "Example",
            "enabled": True,
            "groups": list(groups),
        }
        if password is not None:
            user["credentials"] = [{"type": "password", "value": password, "temporary": temporary}]
        answer = self.send("POST", "users", user | fields)
        return answer.headers["Location"].rpartition("/")[2]

    def username(self, user_id: str) -> str:
        return str(self.get(f"users/{user_id}")["username"])

    def failures(self, user_id: str) -> int:
        """How many failed logins in a row Keycloak has counted."""
        return int(self.get(f"attack-detection/brute-force/users/{user_id}")["numFailures"])

    def fail_logins(self, user_id: str, times: int, attempt: Callable[[], object]) -> None:
        """Let `attempt` fail so often. Keycloak counts a failure after its answer, so each is waited for."""
        for _ in range(times):
            counted = self.failures(user_id)
            attempt()
            wait_until(lambda before=counted: self.failures(user_id) > before, 20, "the failure is not counted")

    def plan(self, policy: Policy | None = None) -> RealmPlan:
        return realm_as_code.plan(self.gateway(), policy or self.policy, self.options)

    def apply(self, policy: Policy | None = None) -> RealmPlan:
        chosen = policy or self.policy
        gateway = self.gateway()
        plan = realm_as_code.plan(gateway, chosen, self.options)
        realm_as_code.apply(gateway, chosen, plan)
        return plan


@contextmanager
def a_realms_name(server: KeycloakServer) -> Iterator[str]:
    """A name that no realm has; one that was made under it is removed afterwards."""
    name = f"t-{uuid.uuid4().hex[:10]}"
    try:
        yield name
    finally:
        server.session().delete(f"{server.url}/admin/realms/{name}", timeout=60)


def configure(server: KeycloakServer, name: str, policy: Policy, mail_port: int = 25) -> ConfiguredRealm:
    """Bootstrap and apply, as an operator would."""
    realm = bootstrapped(server, name, policy, mail_port)
    realm.apply()
    return realm


def bootstrapped(server: KeycloakServer, name: str, policy: Policy, mail_port: int = 25) -> ConfiguredRealm:
    """A new realm that holds the configuring client and nothing else of ours."""
    clients = (WORKER_CLIENT, IMPORT_CLIENT, CONFIGURE_CLIENT, CONSOLE_CLIENT)
    options = RealmOptions(
        PUBLIC_URL,
        MailServer("127.0.0.1", mail_port, "fsm-identity@example.com"),
        {client: secrets.token_urlsafe(24) for client in clients},
    )
    administrator = Connection.as_administrator(server.url, name, server.admin, server.password)
    realm_as_code.bootstrap(KeycloakRealm(administrator), options)
    return ConfiguredRealm(server, name, policy, options)


def with_cap(policy: Policy, profile: str, cap: int, over_cap: str) -> Policy:
    """The policy with another cap on parallel sessions."""
    profiles = dict(policy.profiles) | {profile: replace(policy.profiles[profile], session_cap=cap)}
    sessions = replace(policy.realm.sessions, over_cap=over_cap)
    return replace(policy, profiles=profiles, realm=replace(policy.realm, sessions=sessions))


@pytest.fixture(scope="module")
def configured_realm(keycloak_server: KeycloakServer, realm_name: str) -> ConfiguredRealm:
    """The module's realm, configured from the shipped mapping files."""
    return configure(keycloak_server, realm_name, mappings.load())
