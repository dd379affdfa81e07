"""The groups of ours in the realm: their ids, and whether they carry a role that nobody of ours put there.

Both answers are kept for `KEPT_SECONDS` in the process, so that a drain of a thousand accounts reads each
group once and not a thousand times; a role added to a group is noticed when that time is over. Only memberships
are written elsewhere; the groups themselves are the realm configuration's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from mappings.policy import Policy
from sync.adapters.keycloak.checks.guard import refuse_foreign_group
from sync.adapters.keycloak.connection import Connection, Json, segment
from sync.domain.access import vocabulary
from sync.domain.access.group_roles import PARENTS, GroupRoles, roles_of_groups
from sync.domain.errors import FailureCode, Misconfigured, Unsafe

KEPT_SECONDS = 10.0


class GroupMissing(Misconfigured):
    """A group of ours does not exist. Only the accounts that belong into it fail."""

    code = FailureCode.GROUP_MISSING


@dataclass(frozen=True, slots=True)
class _Seen:
    id: str
    at: float


class Groups:
    """`now` returns seconds on a clock that never goes back."""

    def __init__(self, connection: Connection, policy: Policy, now: Callable[[], float]) -> None:
        self._connection = connection
        self._expected = roles_of_groups(policy)
        self._now = now
        self._ids: dict[str, _Seen] = {}
        self._extra: dict[str, tuple[float, frozenset[str]]] = {}

    def id_of(self, path: str) -> str:
        """One request, none within `KEPT_SECONDS`. Raises Misconfigured if there is no such group."""
        seen = self._ids.get(path)
        if seen is None or self._now() - seen.at >= KEPT_SECONDS:
            seen = self._read(path)
        return seen.id

    def joinable(self, path: str) -> str:
        """Like `id_of`, for a group that somebody shall be put into. Raises Unsafe for a group outside `/fsm` and
        for one that no mapping file knows: nobody compares the roles of such a group."""
        refuse_foreign_group(path)
        if path not in self._expected or path in PARENTS:
            raise Unsafe(
                f"no mapping file knows the group {path}; nobody is put into it", code=FailureCode.OUTSIDE_OURS
            )
        return self.id_of(path)

    def find(self, path: str) -> str | None:
        """Like `id_of`; None if there is no such group."""
        try:
            return self.id_of(path)
        except GroupMissing:
            return None

    def forget(self, path: str) -> None:
        """The id turned out to be gone: read it afresh next time."""
        self._ids.pop(path, None)

    def forget_all(self) -> None:
        self._ids.clear()

    def extra_roles(self, paths: Collection[str]) -> Mapping[str, frozenset[str]]:
        """As the port says. The groups above each path are looked at too, because members inherit their roles,
        and so are the roles inside a role of ours that was made composite. Two requests a group."""
        looked_at = {above for path in paths for above in _with_parents(path)}
        extra = {path: self._extra_of(path) for path in sorted(looked_at)}
        return {path: roles for path, roles in extra.items() if roles}

    def _extra_of(self, path: str) -> frozenset[str]:
        kept = self._extra.get(path)
        if kept is not None and self._now() - kept[0] < KEPT_SECONDS:
            return kept[1]
        at = self._now()
        extra = frozenset(self._read_extra(path))
        self._extra[path] = at, extra
        return extra

    def _read_extra(self, path: str) -> Iterator[str]:
        expected = self._expected.get(path, GroupRoles())
        mappings = self._connection.get(f"groups/{self._read(path).id}/role-mappings")
        for role in mappings.get("realmMappings") or ():
            if role["name"] not in expected.realm_roles:
                yield role["name"]
            else:
                yield from self._inside(role)
        for client, carried in (mappings.get("clientMappings") or {}).items():
            for role in carried["mappings"]:
                if client != vocabulary.FEATURES_CLIENT or role["name"] not in expected.feature_roles:
                    yield f"{client}/{role['name']}"
                else:
                    yield from self._inside(role)

    def _inside(self, role: Json) -> Iterator[str]:
        """The roles inside a role of ours. None of ours is composite, so each of them is one too many."""
        if not role.get("composite"):
            return
        for child in self._connection.get(f"roles-by-id/{segment(role['id'])}/composites"):
            if child.get("clientRole"):
                client = self._connection.get(f"clients/{segment(child['containerId'])}")
                yield f"{client['clientId']}/{child['name']}"
            else:
                yield child["name"]

    def _read(self, path: str) -> _Seen:
        at = self._now()
        steps = "/".join(segment(step) for step in path.strip("/").split("/"))
        group = self._connection.find(f"group-by-path/{steps}")
        if group is None:
            self._ids.pop(path, None)
            raise GroupMissing(
                f"the realm {self._connection.realm!r} has no group {path}; run `fsm-identity realm apply`",
                about=path,
            )
        seen = _Seen(str(group["id"]), at)
        self._ids[path] = seen
        return seen


def _with_parents(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
