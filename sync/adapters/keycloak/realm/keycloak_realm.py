"""The port `Realm` on Keycloak's admin API: hands each item to the section that knows it."""

from __future__ import annotations

from collections.abc import Collection

from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.demanded import demanded
from sync.adapters.keycloak.failures import RealmMissing
from sync.adapters.keycloak.realm.client_ids import ClientIds
from sync.adapters.keycloak.realm.clients import Clients, ClientScopes, ServiceAccounts
from sync.adapters.keycloak.realm.flows import Flows
from sync.adapters.keycloak.realm.groups import Groups
from sync.adapters.keycloak.realm.roles import Roles
from sync.adapters.keycloak.realm.section import Section
from sync.adapters.keycloak.realm.settings import Bindings, RealmSettings, RequiredActions, UserProfile
from sync.adapters.keycloak.realm.surroundings import read_surroundings
from sync.domain.realm.difference import Create, RealmDifference, Remove, Update
from sync.domain.realm.item import ItemKind, RealmState
from sync.domain.realm.surroundings import Surroundings


class KeycloakRealm:
    """One realm; the connection says which and as whom."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._clients = ClientIds(connection)
        self._groups = Groups(connection, self._clients)
        self._sections: tuple[Section, ...] = (
            RealmSettings(connection),
            UserProfile(connection),
            RequiredActions(connection),
            Roles(connection, self._clients),
            Clients(connection, self._clients),
            ServiceAccounts(connection, self._clients),
            ClientScopes(connection, self._clients),
            self._groups,
            Flows(connection),
            Bindings(connection),
        )

    def create_if_missing(self) -> None:
        try:
            self._connection.get("")
        except RealmMissing:
            self._connection.post("/realms", {"realm": self._connection.realm, "enabled": True})

    def observe(self, kinds: Collection[ItemKind] | None = None) -> RealmState:
        self._clients.forget()
        wanted = frozenset(ItemKind if kinds is None else kinds)
        return RealmState.of(
            item
            for section in self._sections
            if section.kinds & wanted
            for item in section.read()
            if item.kind in wanted
        )

    def demanded_attributes(self) -> frozenset[str]:
        return demanded(self._connection.get("users/profile"))

    def surroundings(self) -> Surroundings:
        return read_surroundings(self._connection)

    def members(self, group: str) -> int:
        return self._groups.members(group)

    def apply(self, difference: RealmDifference) -> None:
        match difference:
            case Create(item=item):
                self._section(item.kind).create(item)
            case Update(kind=kind):
                self._section(kind).update(difference)
            case Remove(item=item):
                self._section(item.kind).remove(item)

    def _section(self, kind: ItemKind) -> Section:
        return next(section for section in self._sections if kind in section.kinds)
