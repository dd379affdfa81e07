"""What a realm gives every new user beside what we want: default groups and default required actions.

`POST users` gives the groups by itself and `partialImport` neither, so both ways of creating name them
(fact: importing-adds-no-defaults). They are given at the creation alone: nobody compares them afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sync.adapters.keycloak.connection import Connection, segment
from sync.adapters.keycloak.reading import UserReader
from sync.domain.access import vocabulary
from sync.domain.errors import FailureCode, Misconfigured

KEPT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Defaults:
    """Paths of groups, and aliases of required actions."""

    groups: frozenset[str]
    actions: frozenset[str]


NO_DEFAULTS = Defaults(frozenset(), frozenset())


def read_defaults(connection: Connection) -> Defaults:
    """Two requests."""
    return Defaults(
        groups=frozenset(group["path"] for group in connection.get("default-groups")),
        actions=frozenset(
            action["alias"]
            for action in connection.get("authentication/required-actions")
            if action.get("enabled") and action.get("defaultAction")
        ),
    )


class RealmDefaults:
    """An answer counts for `KEPT_SECONDS`. `now` returns seconds on a clock that never goes back."""

    def __init__(self, connection: Connection, reader: UserReader, now: Callable[[], float]) -> None:
        self._connection = connection
        self._reader = reader
        self._now = now
        self._kept: tuple[float, Defaults] | None = None

    def read(self) -> Defaults:
        """Two requests, and one or two for each default group. Raises Misconfigured for a default group of ours,
        or with a role of realm-management: whoever is made would get it from Keycloak, so nobody is made."""
        at = self._now()
        if self._kept is not None and at - self._kept[0] < KEPT_SECONDS:
            return self._kept[1]
        self._kept = None
        defaults = read_defaults(self._connection)
        for path in sorted(defaults.groups):
            self._refuse_power(path)
        self._kept = at, defaults
        return defaults

    def _refuse_power(self, path: str) -> None:
        if vocabulary.owns_group(path):
            raise self._refused(path, "is one of ours, and who is in it is decided here")
        client = self._reader.realm_management_client()
        while path:
            steps = "/".join(segment(step) for step in path.strip("/").split("/"))
            group = self._connection.get(f"group-by-path/{steps}")
            if self._connection.get(f"groups/{group['id']}/role-mappings/clients/{client}/composite"):
                raise self._refused(path, "gives a role of realm-management to everybody in it")
            path = path.rpartition("/")[0]

    def _refused(self, path: str, why: str) -> Misconfigured:
        return Misconfigured(
            f"the default group {path} of the realm {self._connection.realm!r} {why}; take it out of the default "
            "groups in Keycloak's console (Realm settings, User registration): until then nobody new is made",
            code=FailureCode.EXTRA_ROLES,
            about=path,
        )
