"""The three service clients: each may do its job and nothing of the others', by plain requests to Keycloak."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sync.domain.realm.clients import REALM_MANAGEMENT
from sync.domain.realm.options import CONFIGURE_CLIENT, CONSOLE_CLIENT, IMPORT_CLIENT, WORKER_CLIENT
from tests.realms import ConfiguredRealm

pytestmark = [pytest.mark.keycloak, pytest.mark.supports("C8")]

EVERYONE = {WORKER_CLIENT, IMPORT_CLIENT, CONFIGURE_CLIENT}
WITH_REALM = {IMPORT_CLIENT, CONFIGURE_CLIENT}
NOBODY: set[str] = set()

ACTS: dict[str, tuple[set[str], str, str, Any]] = {
    "read users": (EVERYONE, "GET", "users?max=1", None),
    "read login events": (EVERYONE, "GET", "events?max=1", None),
    "read roles": (EVERYONE, "GET", "roles?max=1", None),
    "read login flows": (EVERYONE, "GET", "authentication/flows", None),
    "import users": (WITH_REALM, "POST", "partialImport", {"ifResourceExists": "SKIP", "users": []}),
    "make a role": (WITH_REALM, "POST", "roles", {}),
    "change the realm": (WITH_REALM, "PUT", "", {}),
    "make a client": ({CONFIGURE_CLIENT}, "POST", "clients", {}),
    "read identity providers": ({CONFIGURE_CLIENT}, "GET", "identity-provider/instances", None),
    "add an identity provider": (NOBODY, "POST", "identity-provider/instances", {"alias": "x"}),
    "clear the event log": (NOBODY, "DELETE", "events", None),
}


def token(realm: ConfiguredRealm, client_id: str, **form: str) -> requests.Response:
    data = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": realm.secrets[client_id],
        **form,
    }
    address = f"{realm.url}/realms/{realm.realm}/protocol/openid-connect/token"
    return requests.post(address, data=data, timeout=30)


def send(realm: ConfiguredRealm, client_id: str, method: str, path: str, body: Any = None) -> int:
    headers = {"Authorization": f"Bearer {token(realm, client_id).json()['access_token']}"}
    return requests.request(method, realm.path(path), headers=headers, json=body, timeout=30).status_code


@pytest.mark.parametrize("client_id", sorted(EVERYONE))
@pytest.mark.parametrize("act", ACTS)
def test_each_may_do_its_own_and_no_more(configured_realm: ConfiguredRealm, act: str, client_id: str) -> None:
    """Forbidden is forbidden; whatever else Keycloak answers to an allowed request, it is not that."""
    allowed, method, path, body = ACTS[act]
    status = send(configured_realm, client_id, method, path, body)
    assert (status != 403) is (client_id in allowed), f"{client_id} {act}: {status}"


@pytest.mark.parametrize("client_id", sorted(EVERYONE))
def test_none_lifts_itself(configured_realm: ConfiguredRealm, client_id: str) -> None:
    """A service client cannot give its own account the role of a realm administrator."""
    realm = configured_realm
    [client] = realm.get("clients", clientId=client_id)
    [management] = realm.get("clients", clientId=REALM_MANAGEMENT)
    account = realm.get(f"clients/{client['id']}/service-account-user")["id"]
    role = realm.get(f"clients/{management['id']}/roles/realm-admin")
    path = f"users/{account}/role-mappings/clients/{management['id']}"
    assert send(realm, client_id, "POST", path, [role]) == 403


@pytest.mark.parametrize("client_id", [*sorted(EVERYONE), CONSOLE_CLIENT])
def test_none_logs_people_in_past_the_form(configured_realm: ConfiguredRealm, client_id: str) -> None:
    """No direct grant; and the console, which is no service client, gets no token of its own."""
    answer = token(configured_realm, client_id, grant_type="password", username="u", password="p")
    assert answer.json()["error"] == "unauthorized_client"
    own = token(configured_realm, client_id)
    assert own.ok is (client_id != CONSOLE_CLIENT)


def test_the_features_client_is_no_door(configured_realm: ConfiguredRealm) -> None:
    """It holds roles and nothing else: nobody gets a token for it, not even with a secret."""
    realm = configured_realm
    [client] = realm.get("clients", clientId="fsm")
    data = {"grant_type": "client_credentials", "client_id": "fsm", "client_secret": client.get("secret", "x")}
    address = f"{realm.url}/realms/{realm.realm}/protocol/openid-connect/token"
    assert requests.post(address, data=data, timeout=30).status_code in (400, 401)
