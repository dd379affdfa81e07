"""A Keycloak that is played on the wire, both gateways to it, and what they sent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import responses

from mappings import load
from mappings.policy import Policy
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.observed import ACCOUNT_ID, TECHNICIAN_ID
from sync.ports.accounts import NewUser
from tests.people import an_account

URL = "https://keycloak.example.com"
REALM = f"{URL}/admin/realms/fsm"
USER = f"{REALM}/users/u1"


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The mapping files that ship."""
    return load(None)


@pytest.fixture
def keycloak() -> Iterator[responses.RequestsMock]:
    """A Keycloak with every group of ours and one user; a test says what goes wrong by saying it later."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(
            f"{URL}/realms/fsm/protocol/openid-connect/token", json={"access_token": "token", "expires_in": 300}
        )
        mock.get(
            f"{REALM}/users/profile",
            json={"attributes": [{"name": name} for name in (ACCOUNT_ID, TECHNICIAN_ID)]},
        )
        mock.get(f"{REALM}/default-groups", json=[])
        mock.get(f"{REALM}/authentication/required-actions", json=[])
        mock.get(REALM, json={"realm": "fsm", "defaultRole": {"name": "default-roles-fsm"}})
        mock.get(re.compile(rf"{REALM}/group-by-path/.*"), json={"id": "g1"})
        mock.get(re.compile(rf"{REALM}/clients\?clientId=realm-management"), json=[{"id": "rm"}])
        mock.get(USER, json={"id": "u1", "username": "tom", "enabled": True, "attributes": {ACCOUNT_ID: ["a1"]}})
        mock.get(re.compile(rf"{USER}/(groups|role-mappings|sessions|consents).*"), json=[])
        mock.get(f"{REALM}/attack-detection/brute-force/users/u1", json={"disabled": False})
        mock.get(re.compile(rf"{REALM}/users\?.*"), json=[])
        mock.put(USER, status=204)
        yield mock


@pytest.fixture
def one_by_one(policy: Policy) -> KeycloakAccounts:
    """The worker's gateway."""
    return KeycloakAccounts(Connection(URL, "fsm", "fsm-worker", "secret"), policy)


@pytest.fixture
def importing(policy: Policy) -> ImportingAccounts:
    """The bulk gateway."""
    return ImportingAccounts(Connection(URL, "fsm", "fsm-import", "secret"), policy)


def new_user(policy: Policy, number: int) -> NewUser:
    account = an_account(f"tom.{number}@example.com", id=f"account-{number}", profile="technician")
    return NewUser(desired_state(account, policy))


def sent(keycloak: responses.RequestsMock, method: str, path: str = "") -> list[str]:
    wanted = (call.request for call in keycloak.calls if call.request.method == method)
    urls = [str(request.url).removeprefix(f"{REALM}/") for request in wanted]
    return [url for url in urls if url.startswith(path) and "openid-connect" not in url]


def importer(
    outcome: Callable[[list[str]], Any],
) -> Callable[[requests.PreparedRequest], tuple[int, dict[str, str], str]]:
    """partialImport: `outcome` takes the usernames of the chunk and answers ids, a status, or raises."""

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        users = json.loads(request.body or "")["users"]
        result = outcome([user["username"] for user in users])
        if isinstance(result, int):
            return result, {}, json.dumps({"error": "unknown_error"})
        added = [{"action": "ADDED", "resourceName": user["username"], "id": user["id"]} for user in users]
        return 200, {}, json.dumps({"results": added})

    return answer
