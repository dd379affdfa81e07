"""What all tests share: real services, one Keycloak per run, one realm per module."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests


@dataclass(frozen=True)
class KeycloakServer:
    """A running Keycloak and the administrator of its master realm."""

    url: str
    admin: str
    password: str

    def session(self) -> requests.Session:
        """An HTTP session with a fresh administrator's token (it lives one minute)."""
        session = requests.Session()
        answer = session.post(
            f"{self.url}/realms/master/protocol/openid-connect/token",
            data={
                "grant_type": "password",
                "client_id": "admin-cli",
                "username": self.admin,
                "password": self.password,
            },
            timeout=20,
        )
        answer.raise_for_status()
        session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return session


@pytest.fixture(scope="session")
def keycloak_server() -> KeycloakServer:
    """The Keycloak of this run; FSM_TEST_KEYCLOAK_URL names one that runs already."""
    running = os.environ.get("FSM_TEST_KEYCLOAK_URL")
    if not running:
        pytest.fail("no Keycloak: set FSM_TEST_KEYCLOAK_URL")
    return KeycloakServer(running, "admin", "admin")


@pytest.fixture(scope="module")
def realm_name(keycloak_server: KeycloakServer) -> Iterator[str]:
    """A name for a realm of this module's own; the realm is removed afterwards if the module made it."""
    name = f"t-{uuid.uuid4().hex[:10]}"
    yield name
    keycloak_server.session().delete(f"{keycloak_server.url}/admin/realms/{name}", timeout=60)
