"""The groups below `/fsm`: all of them, with their roles and attributes. Everything there is ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sync.adapters.keycloak.connection import Connection, Json
from sync.adapters.keycloak.realm.client_ids import ClientIds
from sync.adapters.keycloak.realm.fields import flat
from sync.adapters.keycloak.realm.roles import RoleList, mapped_roles, role_names
from sync.domain.access import vocabulary
from sync.domain.errors import FailureCode, Misconfigured, NeedsPerson
from sync.domain.realm.difference import Update
from sync.domain.realm.item import Fields, Item, ItemKind

PAGE = 500


class Groups:
    """Remembers the ids of the groups that it looked up or made since all of them were read: while one plan is
    carried out, not while a person looks at it."""

    kinds = frozenset({ItemKind.GROUP})

    def __init__(self, connection: Connection, clients: ClientIds) -> None:
        self._connection = connection
        self._clients = clients
        self._ids: dict[str, str] = {}

    def read(self) -> Iterator[Item]:
        self._ids.clear()
        root = self._root()
        if root is not None:
            yield from self._items(root)

    def _items(self, group: Json) -> Iterator[Item]:
        fields = flat({"attributes": group.get("attributes", {})})
        yield Item(ItemKind.GROUP, group["path"], {"roles": mapped_roles(group), **fields})
        if group["subGroupCount"]:
            for child in self._children(group["id"]):
                yield from self._items(child)

    def create(self, item: Item) -> None:
        parent, _, name = item.name.rpartition("/")
        new = {"name": name, "attributes": _attributes(item.fields, {})}
        place = f"groups/{self._id(parent)}/children" if parent else "groups"
        self._ids[item.name] = self._connection.create(place, new)
        self._roles(item.name).give(role_names(item.fields["roles"]))

    def update(self, update: Update) -> None:
        if "roles" in update.new:
            self._roles(update.name).bring_to(update.new["roles"])
        if any(name.startswith("attributes:") for name in update.new):
            path = f"groups/{self._id(update.name)}"
            group = self._connection.get(path)
            attributes = _attributes(update.new, group.get("attributes", {}))
            self._connection.put(path, {"name": group["name"], "attributes": attributes})

    def remove(self, item: Item) -> None:
        """Raises NeedsPerson for a group that is not empty: Keycloak would remove it with all that is
        in it (fact: groups-go-with-what-is-in-them)."""
        group = self._find(item.name)
        if group is None:
            return
        if self._members(group) or self._has_children(group):
            raise NeedsPerson(
                f"group {item.name} is not removed: somebody joined it after the plan was made. "
                "Move them to another group and apply again",
                code=FailureCode.GROUP_IN_USE,
                about=item.name,
            )
        self._ids.pop(item.name, None)
        self._connection.delete(f"groups/{group['id']}")

    def members(self, path: str) -> int:
        group = self._find(path)
        return 0 if group is None else self._members(group)

    def _has_children(self, group: Json) -> bool:
        return next(self._children(group["id"]), None) is not None

    def _members(self, group: Json) -> int:
        count, page = 0, PAGE
        while page == PAGE:
            members = self._connection.get(
                f"groups/{group['id']}/members", first=count, max=PAGE, briefRepresentation="true"
            )
            page = len(members)
            count += page
        return count

    def _find(self, path: str) -> Json | None:
        """The group at this path, looked up step by step: a name may contain what a path gives a meaning to."""
        group = self._root()
        for name in path.split("/")[2:]:
            if group is None:
                return None
            group = next((child for child in self._children(group["id"]) if child["name"] == name), None)
        return group

    def _id(self, path: str) -> str:
        if path in self._ids:
            return self._ids[path]
        group = self._find(path)
        if group is None:
            raise Misconfigured(
                f"group {path} does not exist in realm {self._connection.realm}",
                code=FailureCode.GROUP_MISSING,
                about=path,
            )
        self._ids[path] = str(group["id"])
        return self._ids[path]

    def _root(self) -> Json | None:
        name = vocabulary.ROOT.removeprefix("/")
        found = self._connection.get("groups", search=name, exact="true", briefRepresentation="false")
        return next((group for group in found if group["path"] == vocabulary.ROOT), None)

    def _children(self, group_id: str) -> Iterator[Json]:
        first, page = 0, PAGE
        while page == PAGE:
            children = self._connection.get(
                f"groups/{group_id}/children", first=first, max=PAGE, briefRepresentation="false"
            )
            yield from children
            page = len(children)
            first += page

    def _roles(self, path: str) -> RoleList:
        return RoleList(self._connection, self._clients, f"groups/{self._id(path)}/role-mappings")


def _attributes(fields: Fields, existing: dict[str, Any]) -> dict[str, Any]:
    attributes = dict(existing)
    for name, value in fields.items():
        outer, _, key = name.partition(":")
        if outer == "attributes":
            attributes[key] = list(value) if isinstance(value, tuple) else []
    return {key: values for key, values in attributes.items() if values}
