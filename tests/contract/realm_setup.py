"""A realm with just what the accounts gateway needs, made by one request to Keycloak's admin API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from mappings.policy import Policy
from sync.domain import vocabulary
from sync.domain.group_roles import attributes_of_groups, roles_of_groups
from sync.domain.observed import ACCOUNT_ID, TECHNICIAN_ID
from tests.services import KeycloakServer

WORKER_RIGHTS = ["manage-users", "view-events", "view-realm", "view-clients"]
IMPORT_RIGHTS = [*WORKER_RIGHTS, "manage-realm"]
SECRETS = {"fsm-worker": "worker-secret", "fsm-import": "import-secret"}
LOGIN_CLIENT = "login-probe"
FOREIGN_ATTRIBUTE = "shoe_size"


@dataclass
class RealmAdmin:
    """The realm seen by an administrator, beside the gateway. Its token is renewed when it has run out."""

    server: KeycloakServer
    name: str
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

    def _at(self, path: str) -> str:
        return f"{self.url}/{path}" if path else self.url


def make_realm(server: KeycloakServer, name: str, policy: Policy) -> RealmAdmin:
    admin = RealmAdmin(server, name, server.session())
    answer = admin.session.post(f"{server.url}/admin/realms", json=_realm(name, policy), timeout=60)
    assert answer.status_code == 201, answer.text[:500]
    profile = admin.read("users/profile")
    only_admins = {"view": ["admin"], "edit": ["admin"]}
    profile["attributes"] += [
        {"name": attribute, "permissions": only_admins}
        for attribute in (ACCOUNT_ID, TECHNICIAN_ID, FOREIGN_ATTRIBUTE)
    ]
    admin.call("PUT", "users/profile", profile)
    return admin


def _realm(name: str, policy: Policy) -> Mapping[str, object]:
    carried = roles_of_groups(policy)
    realm_roles = {role for roles in carried.values() for role in roles.realm_roles} | {"outside-role"}
    return {
        "realm": name,
        "enabled": True,
        "sslRequired": "none",
        "editUsernameAllowed": True,
        "bruteForceProtected": True,
        "failureFactor": 3,
        "quickLoginCheckMilliSeconds": 0,
        "waitIncrementSeconds": 900,
        "maxFailureWaitSeconds": 900,
        "roles": {
            "realm": [{"name": role} for role in sorted(realm_roles)],
            "client": {vocabulary.FEATURES_CLIENT: [{"name": feature} for feature in policy.features]},
        },
        "groups": [_group(vocabulary.ROOT, policy), {"name": "elsewhere"}],
        "clients": [
            {"clientId": vocabulary.FEATURES_CLIENT},
            {"clientId": LOGIN_CLIENT, "publicClient": True, "directAccessGrantsEnabled": True},
            *(
                {
                    "clientId": client,
                    "secret": secret,
                    "serviceAccountsEnabled": True,
                    "standardFlowEnabled": False,
                }
                for client, secret in SECRETS.items()
            ),
        ],
        "users": [
            _service_account("fsm-worker", WORKER_RIGHTS),
            _service_account("fsm-import", IMPORT_RIGHTS),
        ],
    }


def _service_account(client: str, rights: list[str]) -> Mapping[str, object]:
    return {
        "username": f"service-account-{client}",
        "enabled": True,
        "serviceAccountClientId": client,
        "clientRoles": {"realm-management": rights},
    }


def _group(path: str, policy: Policy) -> Mapping[str, object]:
    carried, attributes = roles_of_groups(policy), attributes_of_groups(policy)
    children = [below for below in carried if below.rpartition("/")[0] == path]
    return {
        "name": path.rpartition("/")[2],
        "attributes": {name: list(values) for name, values in attributes[path].items()},
        "realmRoles": sorted(carried[path].realm_roles),
        "clientRoles": {vocabulary.FEATURES_CLIENT: sorted(carried[path].feature_roles)},
        "subGroups": [_group(child, policy) for child in children],
    }
