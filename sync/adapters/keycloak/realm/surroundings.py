"""Reads what is not ours and bears on us: identity providers, clients with flows or grants of their own,
attributes
that are demanded of users."""

from __future__ import annotations

from collections.abc import Iterator

from sync.adapters.keycloak.connection import Connection, Json
from sync.adapters.keycloak.creation.defaults import read_defaults
from sync.adapters.keycloak.demanded import demanded
from sync.domain.errors import Misconfigured
from sync.domain.realm.surroundings import PAST_US, FlowOverride, Shortcut, ShortcutClient, Surroundings

PAGE = 200
SHORTCUTS = {
    "oidc.ciba.grant.enabled": Shortcut.BACKCHANNEL,
    "oauth2.jwt.authorization.grant.enabled": Shortcut.ASSERTION,
    "saml.allow.ecp.flow": Shortcut.ENHANCED_CLIENT,
}
"""The attributes of a client that switch them on, as Keycloak names them; all three are off by default
(fact: some-grants-pass-no-flow)."""


def read_surroundings(connection: Connection) -> Surroundings:
    clients, defaults = list(_clients(connection)), read_defaults(connection)
    aliases = {flow["id"]: flow["alias"] for flow in connection.get("authentication/flows")}
    overrides = [
        FlowOverride(client["clientId"], binding, aliases.get(flow))
        for client in clients
        for binding, flow in sorted(client.get("authenticationFlowBindingOverrides", {}).items())
        if flow
    ]
    return Surroundings(
        {
            provider["alias"]: provider.get("postBrokerLoginFlowAlias") or None
            for provider in connection.get("identity-provider/instances")
            if provider.get("enabled", True)
        },
        tuple(sorted(overrides, key=lambda each: (each.client_id, each.binding))),
        tuple(sorted(_shortcuts(clients), key=lambda each: (each.client_id, each.shortcut))),
        demanded(connection.get("users/profile")),
        defaults.groups,
        defaults.actions,
        _features(connection),
    )


def _features(connection: Connection) -> frozenset[str]:
    """Those that matter and are on. A Keycloak that does not show a realm's client what it is shows none."""
    try:
        shown = connection.get("/serverinfo").get("features") or ()
    except Misconfigured:
        return frozenset()
    return frozenset(each["name"] for each in shown if each.get("enabled") and each["name"] in PAST_US)


def _shortcuts(clients: list[Json]) -> Iterator[ShortcutClient]:
    for client in clients:
        attributes = client.get("attributes", {})
        for name, shortcut in SHORTCUTS.items():
            if attributes.get(name) == "true":
                yield ShortcutClient(client["clientId"], shortcut)


def _clients(connection: Connection) -> Iterator[Json]:
    first, page = 0, PAGE
    while page == PAGE:
        clients = connection.get("clients", first=first, max=PAGE)
        yield from clients
        page = len(clients)
        first += page
