"""Reads the realm's users as a whole: the members of each group of ours, the direct holders of each role of ours,
several sources at once and never more pages in memory than that, and the brief listing.

The groups come with their roles in one request a parent. Single users are read by `reading`.
Pages go by username (fact: listings-go-by-username).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from mappings.policy import Policy
from sync.adapters.keycloak.connection import Connection, Json, segment
from sync.adapters.keycloak.groups import GroupMissing
from sync.adapters.keycloak.reading import attributes_of
from sync.domain.access import vocabulary
from sync.domain.access.group_roles import PARENTS, GroupRoles, roles_of_groups
from sync.domain.drift.listed_user import ListedUser
from sync.ports.lease import carried
from sync.ports.listing import HoldersPage, MembersPage, OurGroups, Page, UserAttributes

PAGE = 5000
"""Where Keycloak's own processor time for a whole comparison is least (fact: pages-have-a-best-size). Smaller ones
cost it an offset each, larger ones its memory."""

ATTRIBUTES_PAGE = 500
"""With attributes larger pages are slower (fact: pages-have-a-best-size)."""

ALL = 10_000
"""More groups below one parent than anybody has."""


class KeycloakListing:
    """`sync.ports.listing.Listing` on the client `fsm-worker`.

    `at_once` sources are read side by side; `pause_seconds` is waited after each page of each.
    """

    def __init__(
        self,
        connection: Connection,
        policy: Policy,
        *,
        at_once: int = 2,
        pause_seconds: float = 0.0,
        page: int = PAGE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._expected = roles_of_groups(policy)
        self._at_once = at_once
        self._pause_seconds = pause_seconds
        self._page = page
        self._pause = pause
        self._ids: dict[str, str] = {}

    def groups(self) -> OurGroups:
        """One request for each parent and four more; one for each role of ours that was made composite."""
        groups = {group["path"]: group for group in self._tree()}
        self._ids = {path: str(group["id"]) for path, group in groups.items()}
        inside = self._inside_ours()
        extra = {path: frozenset(self._extra_of(path, group, inside)) for path, group in groups.items()}
        return OurGroups(
            frozenset(groups), {path: roles for path, roles in extra.items() if roles}, frozenset(inside)
        )

    def pages(self, groups: Collection[str], roles: Collection[str]) -> Iterator[Page]:
        """As the port says; only groups that `groups` answered. The large sources first, so that none is left
        to be read alone in the end.

        The profile groups come one after the other, before everything else. In what is listed beside another
        listing some users are shown as disabled that are not (fact: listings-beside-others-err). Each of them
        would be looked at by itself.
        """
        known = sorted((path for path in groups if path in self._ids), key=_largest_first)
        alone = [path for path in known if vocabulary.is_profile_group(path)]
        beside = [self._members(path) for path in known if path not in alone]
        for path in alone:
            yield from self._members(path)
        yield from _side_by_side([*beside, *(self._holders(role) for role in sorted(roles))], self._at_once)

    def count(self) -> int:
        return int(self._connection.get("users/count"))

    def users(self) -> Iterator[tuple[ListedUser, ...]]:
        for users in self._paged("users", self._page, briefRepresentation="true"):
            yield tuple(_listed(user) for user in users)

    def attributes(self, first: int = 0) -> Iterator[tuple[UserAttributes, ...]]:
        for users in self._paged("users", ATTRIBUTES_PAGE, first=first, briefRepresentation="false"):
            yield tuple(
                UserAttributes(user["id"], user["username"], user.get("email") or "", attributes_of(user))
                for user in users
            )

    def _members(self, path: str) -> Iterator[Page]:
        at = f"groups/{self._ids[path]}/members"
        for users in self._paged(at, self._page, briefRepresentation="true"):
            yield MembersPage(path, tuple(_listed(user) for user in users))

    def _holders(self, role: str) -> Iterator[Page]:
        client, slash, name = role.rpartition("/")
        where = f"clients/{self._client(client)}/roles" if slash else "roles"
        at = f"{where}/{segment(name)}/users"
        for users in self._paged(at, self._page, briefRepresentation="true"):
            yield HoldersPage(role, {user["id"]: user["username"] for user in users})

    def _paged(self, path: str, size: int, *, first: int = 0, **params: str) -> Iterator[Sequence[Json]]:
        """Until a page is not full. What does not exist any more has nothing."""
        while True:
            found = self._connection.find(path, first=first, max=size, **params) or []
            if found:
                yield found
            if len(found) < size:
                return
            first += len(found)
            if self._pause_seconds:
                self._pause(self._pause_seconds)

    def _tree(self) -> Iterator[Json]:
        """The groups at and below `/fsm` with their roles. Raises Misconfigured if there is no `/fsm`."""
        root = self._connection.find(f"group-by-path{vocabulary.ROOT}")
        if root is None:
            raise GroupMissing(
                f"the realm {self._connection.realm!r} has no group {vocabulary.ROOT}; "
                "run `fsm-identity realm apply`, or check FSM_KEYCLOAK__REALM"
            )
        waiting = [root]
        while waiting:
            group = waiting.pop()
            yield group
            if group.get("subGroupCount", 1):
                children = f"groups/{segment(group['id'])}/children"
                waiting += self._connection.get(children, max=ALL, briefRepresentation="false")

    def _inside_ours(self) -> Mapping[str, frozenset[str]]:
        """Every role of ours, with the roles inside it: none has any unless somebody made it composite."""
        found: dict[str, frozenset[str]] = {}
        for role in self._connection.get("roles", search=vocabulary.ROLE_PREFIX, max=ALL):
            if vocabulary.owns_role(role["name"]):
                found[role["name"]] = self._inside(role)
        client = self._client(vocabulary.FEATURES_CLIENT)
        for role in self._connection.get(f"clients/{client}/roles", max=ALL):
            found[f"{vocabulary.FEATURES_CLIENT}/{role['name']}"] = self._inside(role)
        return found

    def _inside(self, role: Json) -> frozenset[str]:
        if not role.get("composite"):
            return frozenset()
        inside = self._connection.get(f"roles-by-id/{segment(role['id'])}/composites")
        return frozenset(f"{self._client_of(child)}{child['name']}" for child in inside)

    def _client_of(self, role: Json) -> str:
        """What stands before the name of a client role."""
        if not role.get("clientRole"):
            return ""
        client = self._connection.get(f"clients/{segment(role['containerId'])}")
        return f"{client['clientId']}/"

    def _client(self, client_id: str) -> str:
        found = self._connection.get("clients", clientId=client_id)
        if not found:
            raise GroupMissing(
                f"the realm {self._connection.realm!r} has no client {client_id!r}; run `fsm-identity realm apply`"
            )
        return segment(str(found[0]["id"]))

    def _extra_of(self, path: str, group: Json, inside: Mapping[str, frozenset[str]]) -> Iterator[str]:
        expected = self._expected.get(path, GroupRoles())
        wanted = {
            *expected.realm_roles,
            *(f"{vocabulary.FEATURES_CLIENT}/{role}" for role in expected.feature_roles),
        }
        carried = {
            *(group.get("realmRoles") or ()),
            *(f"{client}/{role}" for client, roles in (group.get("clientRoles") or {}).items() for role in roles),
        }
        yield from carried - wanted
        for role in carried & wanted:
            yield from inside.get(role, frozenset())


def _listed(user: Json) -> ListedUser:
    return ListedUser(
        idp_user_id=user["id"],
        username=user["username"],
        email=user.get("email") or "",
        given_name=user.get("firstName") or "",
        family_name=user.get("lastName") or "",
        enabled=bool(user.get("enabled")),
    )


def _largest_first(path: str) -> tuple[int, str]:
    """Everybody has a data access level and a profile, few a team; parents have nobody."""
    for order, parent in enumerate((vocabulary.DATA_ACCESS, vocabulary.PROFILES, vocabulary.BRANCHES)):
        if path.startswith(f"{parent}/"):
            return order, path
    return (9 if path in PARENTS else 5), path


def _side_by_side(sources: Iterable[Iterator[Page]], at_once: int) -> Iterator[Page]:
    """The pages of all sources, `at_once` of them read at a time; at most as many pages wait here.

    The first failure of a source is raised, after the others have ended their request; so it is when the reader
    stops early.
    """
    waiting = iter(sources)
    taking, stop = threading.Lock(), threading.Event()
    pages: queue.Queue[Page | Exception | None] = queue.Queue(maxsize=at_once)

    def hand_over(item: Page | Exception | None) -> None:
        while not stop.is_set():
            try:
                pages.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def read() -> None:
        try:
            while not stop.is_set():
                with taking:
                    source = next(waiting, None)
                if source is None:
                    break
                for page in source:
                    hand_over(page)
                    if stop.is_set():
                        break
        except Exception as error:
            hand_over(error)
        finally:
            hand_over(None)

    readers = [threading.Thread(target=carried(read), name="listing", daemon=True) for _ in range(at_once)]
    for reader in readers:
        reader.start()
    try:
        left = len(readers)
        while left:
            item = pages.get()
            if item is None:
                left -= 1
            elif isinstance(item, Exception):
                raise item
            else:
                yield item
    finally:
        stop.set()
        for reader in readers:
            reader.join()
