"""Roles, and the lists of roles that groups, service accounts and scopes carry.

A role is spelled `name` for a realm role and `client/name` for a client role.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from sync.adapters.keycloak.connection import Connection, Json, segment
from sync.adapters.keycloak.realm.client_ids import ClientIds
from sync.domain.access import vocabulary
from sync.domain.realm.difference import Update
from sync.domain.realm.item import Item, ItemKind, Value, listed

ROLES_AT_ONCE = 10_000
PROFILE_ROLES = vocabulary.profile_role("")


class Roles:
    """Our realm roles and the features, which are the roles of the client `fsm`. None of them contains others:
    a role put inside one would reach everybody who holds it."""

    kinds = frozenset({ItemKind.REALM_ROLE, ItemKind.FEATURE})

    def __init__(self, connection: Connection, clients: ClientIds) -> None:
        self._connection = connection
        self._clients = clients

    def read(self) -> Iterator[Item]:
        for role in self._connection.get("roles", first=0, max=ROLES_AT_ONCE, search=vocabulary.ROLE_PREFIX):
            if _ours(role["name"]):
                yield self._item(ItemKind.REALM_ROLE, role, "")
        client = self._clients.find(vocabulary.FEATURES_CLIENT)
        if client is not None:
            for role in self._connection.get(f"clients/{client}/roles", first=0, max=ROLES_AT_ONCE):
                yield self._item(ItemKind.FEATURE, role, f"clients/{client}/")

    def _item(self, kind: ItemKind, role: Json, owner: str) -> Item:
        inside: list[str] = []
        if role["composite"]:
            composites = self._connection.get(f"{owner}roles/{segment(role['name'])}/composites")
            inside = [*_spelled(self._connection, composites)]
        return Item(kind, role["name"], {"composites": listed(inside)})

    def create(self, item: Item) -> None:
        self._connection.post(f"{self._owner(item.kind)}roles", {"name": item.name})

    def update(self, update: Update) -> None:
        path = f"{self._owner(update.kind)}roles/{segment(update.name)}/composites"
        self._connection.delete(path, self._connection.get(path))

    def remove(self, item: Item) -> None:
        self._connection.delete(f"{self._owner(item.kind)}roles/{segment(item.name)}")

    def _owner(self, kind: ItemKind) -> str:
        if kind is ItemKind.REALM_ROLE:
            return ""
        return f"clients/{self._clients.present(vocabulary.FEATURES_CLIENT)}/"


def _ours(role: str) -> bool:
    return role.startswith(PROFILE_ROLES) or role in (
        vocabulary.SECOND_FACTOR_ROLE,
        vocabulary.FIELD_TECHNICIAN_ROLE,
    )


class RoleList:
    """The roles mapped at `path`, which ends in `role-mappings` or `scope-mappings`."""

    def __init__(self, connection: Connection, clients: ClientIds, path: str) -> None:
        self._connection = connection
        self._clients = clients
        self._path = path

    def read(self) -> tuple[str, ...]:
        return listed(self._mapped())

    def bring_to(self, wanted: Value) -> None:
        """Take what is too much, then give what is missing."""
        roles, mapped = role_names(wanted), self._mapped()
        for place, some in self._placed(mapped[spelled] for spelled in sorted(mapped.keys() - roles)).items():
            self._connection.delete(place, some)
        self.give(roles - mapped.keys())

    def give(self, roles: Collection[str]) -> None:
        """Map roles that are not mapped."""
        for place, some in self._placed(map(self._role, sorted(roles))).items():
            self._connection.post(place, some)

    def _mapped(self) -> dict[str, Json]:
        answer = self._connection.get(self._path)
        roles = {role["name"]: role for role in answer.get("realmMappings", [])}
        for client, mappings in answer.get("clientMappings", {}).items():
            roles |= {f"{client}/{role['name']}": role for role in mappings["mappings"]}
        return {name: role for name, role in roles.items() if name != f"default-roles-{self._connection.realm}"}

    def _placed(self, roles: Iterable[Json]) -> Mapping[str, list[Json]]:
        """By where they are mapped: those of the realm together, and those of each client."""
        places: dict[str, list[Json]] = {}
        for role in roles:
            place = f"clients/{role['containerId']}" if role["clientRole"] else "realm"
            places.setdefault(f"{self._path}/{place}", []).append(role)
        return places

    def _role(self, spelled: str) -> Json:
        client, _, name = spelled.rpartition("/")
        owner = f"clients/{self._clients.present(client)}/" if client else ""
        return self._connection.get(f"{owner}roles/{segment(name)}")


def _spelled(connection: Connection, roles: Collection[Json]) -> Iterator[str]:
    for role in roles:
        if role["clientRole"]:
            owner = connection.get(f"clients/{role['containerId']}")["clientId"]
            yield f"{owner}/{role['name']}"
        else:
            yield role["name"]


def role_names(value: Value) -> frozenset[str]:
    """The roles of a field of an item."""
    return frozenset(value if isinstance(value, tuple) else ())


def mapped_roles(representation: Json) -> tuple[str, ...]:
    """The roles in a group's full representation."""
    clients = representation.get("clientRoles", {})
    return listed(
        [
            *representation.get("realmRoles", []),
            *(f"{client}/{role}" for client, roles in clients.items() for role in roles),
        ]
    )
