"""The clients fsm-identity owns: the holder of the features, the console, and three service clients with the
least roles each (rule: least-rights)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mappings.policy import Policy
from sync.domain.access import vocabulary
from sync.domain.realm.item import Item, ItemKind, Secret, Value, listed
from sync.domain.realm.options import (
    CONFIGURE_CLIENT,
    CONSOLE_CLIENT,
    IMPORT_CLIENT,
    LOGGED_IN_PATH,
    LOGGED_OUT_PATH,
    WORKER_CLIENT,
    RealmOptions,
)

REALM_MANAGEMENT = "realm-management"

_WORKER_ROLES = ("manage-users", "view-events", "view-realm", "view-clients")

SERVICE_ROLES: Mapping[str, tuple[str, ...]] = {
    WORKER_CLIENT: _WORKER_ROLES,
    IMPORT_CLIENT: (*_WORKER_ROLES, "manage-realm"),
    CONFIGURE_CLIENT: (*_WORKER_ROLES, "manage-realm", "manage-clients", "view-identity-providers"),
}
"""Roles of the client realm-management. partialImport needs manage-realm (fact: importing-needs-manage-realm). The
configuring client holds what it hands out (fact: nobody-hands-out-what-they-lack)."""


def clients(policy: Policy, options: RealmOptions) -> Iterator[Item]:
    """Everything but the configuring client, which `bootstrap` makes and which cannot lift itself."""
    yield Item(
        ItemKind.CLIENT,
        vocabulary.FEATURES_CLIENT,
        {"enabled": True, "bearerOnly": True, "publicClient": False, "fullScopeAllowed": False},
    )
    yield from features(policy)
    yield _console(options)
    yield Item(ItemKind.DEFAULT_SCOPE, CONSOLE_CLIENT, {vocabulary.CLAIMS_SCOPE: True})
    for client_id in (WORKER_CLIENT, IMPORT_CLIENT):
        yield from _service_client(client_id, options.secrets.get(client_id))


def features(policy: Policy) -> Iterator[Item]:
    for feature in policy.features:
        yield Item(ItemKind.FEATURE, feature, {"composites": ()})


def configuring_client(options: RealmOptions) -> Iterator[Item]:
    yield from _service_client(CONFIGURE_CLIENT, options.secrets.get(CONFIGURE_CLIENT))


def _service_client(client_id: str, secret: str | None) -> Iterator[Item]:
    fields: dict[str, Value] = {
        **_CONFIDENTIAL,
        "standardFlowEnabled": False,
        "serviceAccountsEnabled": True,
        **_secret(secret),
    }
    yield Item(ItemKind.CLIENT, client_id, fields)
    roles = listed(f"{REALM_MANAGEMENT}/{role}" for role in SERVICE_ROLES[client_id])
    yield Item(ItemKind.SERVICE_ACCOUNT, client_id, {"roles": roles, "scope": roles})


def _console(options: RealmOptions) -> Item:
    public_url = options.public_url.rstrip("/")
    fields: dict[str, Value] = {
        **_CONFIDENTIAL,
        "standardFlowEnabled": True,
        "serviceAccountsEnabled": False,
        "redirectUris": (f"{public_url}{LOGGED_IN_PATH}",),
        "webOrigins": (),
        "attributes:pkce.code.challenge.method": "S256",
        "attributes:post.logout.redirect.uris": f"{public_url}{LOGGED_OUT_PATH}",
        **_secret(options.secrets.get(CONSOLE_CLIENT)),
    }
    return Item(ItemKind.CLIENT, CONSOLE_CLIENT, fields)


_CONFIDENTIAL: dict[str, Value] = {
    "enabled": True,
    "bearerOnly": False,
    "publicClient": False,
    "clientAuthenticatorType": "client-secret",
    "implicitFlowEnabled": False,
    "directAccessGrantsEnabled": False,
    "fullScopeAllowed": False,
}


def _secret(secret: str | None) -> dict[str, Value]:
    return {} if secret is None else {"secret": Secret(secret)}
