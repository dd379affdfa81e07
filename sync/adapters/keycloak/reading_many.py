"""Reads many users of ours with few requests, for mass changes: a look at one user by itself costs five.

One request answers a whole portion by id, with attributes (fact: many-are-found-by-ids); each user costs two more,
its groups and its direct roles. Whatever is not plainly an enabled user of ours that nothing unusual is granted to
is read by `UserReader` as if alone, so that no guard sees less than there. A temporary lockout is not looked for:
it changes nothing that is wanted of an enabled user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sync.adapters.keycloak.connection import Connection, Json, segment
from sync.adapters.keycloak.failures import Gone
from sync.adapters.keycloak.groups import Groups
from sync.adapters.keycloak.reading import UserReader, account_id_of, attributes_of
from sync.domain.access import vocabulary
from sync.domain.errors import Misconfigured
from sync.domain.provisioning.observed import Observed
from sync.ports.lease import carried

AT_ONCE = 40
"""Users in one request: forty ids make an address of 1,600 characters, below what servers and proxies take."""

CONNECTIONS = 4
KEPT_SECONDS = 10.0


class ManyReader:
    """`now` returns seconds on a clock that never goes back."""

    def __init__(
        self, connection: Connection, reader: UserReader, groups: Groups, now: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._groups = groups
        self._now = now
        self._default: tuple[float, str | None] | None = None

    def observe(self, idp_user_ids: Sequence[str]) -> Mapping[str, Observed | None]:
        """Every id, without sessions; None: absent, as the read by id says. Raises a Failure."""
        found: dict[str, Json] = {}
        for start in range(0, len(idp_user_ids), AT_ONCE):
            some = idp_user_ids[start : start + AT_ONCE]
            listed = self._connection.get(
                "users", search=f"id:{' '.join(some)}", briefRepresentation="false", max=len(some)
            )
            found.update((user["id"], user) for user in listed)
        harmless = self._harmless_default_role()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            one = carried(lambda each: self._one(each, found.get(each), harmless))
            seen = pool.map(one, idp_user_ids)
            return dict(zip(idp_user_ids, seen, strict=True))

    def _one(self, idp_user_id: str, user: Json | None, harmless: str | None) -> Observed | None:
        if user is None or not user.get("enabled") or account_id_of(user) is None:
            return self._reader.observe(idp_user_id, sessions=False)
        at = f"users/{segment(idp_user_id)}"
        try:
            groups = self._connection.get(f"{at}/groups", briefRepresentation="true", max=-1)
            mapped = self._connection.get(f"{at}/role-mappings")
        except Gone:
            return self._reader.observe(idp_user_id, sessions=False)
        paths = frozenset(group["path"] for group in groups)
        roles = frozenset(role["name"] for role in mapped.get("realmMappings") or ())
        plain = roles <= {harmless} and not mapped.get("clientMappings") and self._only_ours(paths)
        if not plain:
            return self._reader.observe(idp_user_id, sessions=False)
        return Observed(
            idp_user_id=idp_user_id,
            username=user["username"],
            email=user.get("email") or "",
            given_name=user.get("firstName") or "",
            family_name=user.get("lastName") or "",
            enabled=True,
            attributes=attributes_of(user),
            groups=paths,
            roles=roles,
            required_actions=frozenset(user.get("requiredActions") or ()),
            administers_realm=False,
        )

    def _only_ours(self, paths: frozenset[str]) -> bool:
        """True if all groups are ours and carry nothing but what the policy says: no role of realm-management can
        come from them. Kept by `Groups` for some seconds."""
        if not all(vocabulary.owns_group(path) for path in paths):
            return False
        try:
            return not self._groups.extra_roles(paths)
        except Misconfigured:
            return False

    def _harmless_default_role(self) -> str | None:
        """The realm's default role, if no role of realm-management is inside; None if one is."""
        kept, at = self._default, self._now()
        if kept is not None and at - kept[0] < KEPT_SECONDS:
            return kept[1]
        role = self._connection.get("")["defaultRole"]
        management = self._reader.realm_management_client()
        harmless = all(inside.get("containerId") != management for inside in self._inside(role["id"], set()))
        self._default = at, str(role["name"]) if harmless else None
        return self._default[1]

    def _inside(self, role_id: str, seen: set[str]) -> Iterator[dict[str, Any]]:
        for inside in self._connection.get(f"roles-by-id/{segment(role_id)}/composites"):
            if inside["id"] in seen:
                continue
            seen.add(inside["id"])
            yield inside
            if inside.get("composite"):
                yield from self._inside(inside["id"], seen)
