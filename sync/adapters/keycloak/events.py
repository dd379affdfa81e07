"""Reads Keycloak's events: those of the login, and those of administrators beside us.

Both are lists without a cursor, newest first unless asked otherwise (fact: events-have-no-cursor). Pages go on
after the time of the last event read, not after its number: what expires meanwhile at the head would push others
out of sight.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sync.adapters.keycloak.connection import Connection, Json, segment
from sync.domain.drift.hints import SCIM, AdminEvent, Author, Name
from sync.domain.logins.activity import LoginEvent, LoginKind
from sync.domain.logins.event_reading import Keeping
from sync.domain.realm.options import CONFIGURE_CLIENT, IMPORT_CLIENT, WORKER_CLIENT

PAGE = 500

NEEDED = (LoginKind.LOGIN, LoginKind.FAILURE)
"""Without these nothing is known; without REFRESH_TOKEN only the last use is not."""

OURS = (WORKER_CLIENT, IMPORT_CLIENT, CONFIGURE_CLIENT)

OWN_CHANGES = ("UPDATE_PROFILE", "UPDATE_EMAIL")
"""Of the person, or of an administrator who acts as it (fact: own-changes-are-events-of-the-user)."""

SERVICE_ACCOUNT = "service-account-"
"""What Keycloak calls the user of a client begins so."""

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class KeycloakLoginEvents:
    """`sync.ports.login_events.LoginEvents`; the client needs view-events."""

    def __init__(self, connection: Connection, *, page: int = PAGE) -> None:
        self._connection = connection
        self._page = page

    def keeping(self) -> Keeping:
        """One request."""
        config = self._connection.get("events/config")
        stored = set(config.get("enabledEventTypes") or ()) if config.get("eventsEnabled") else set()
        seconds = int(config.get("eventsExpiration") or 0)
        return Keeping(
            now=self._connection.server_time(),
            missing=tuple(kind.value for kind in NEEDED if kind.value not in stored),
            expires_after=timedelta(seconds=seconds) if seconds > 0 else None,
        )

    def since(self, moment: datetime | None) -> Iterator[Sequence[LoginEvent]]:
        kinds = [kind.value for kind in LoginKind]
        for page in pages(self._connection, "events", moment, self._page, type=kinds):
            yield [
                LoginEvent(
                    id=each["id"],
                    at=time_of(each),
                    kind=LoginKind(each["type"]),
                    idp_user_id=each.get("userId"),
                    session=each.get("sessionId"),
                )
                for each in page
            ]


class KeycloakAdminEvents:
    """`sync.ports.admin_events.AdminEvents`; the client needs view-events and view-clients."""

    def __init__(self, connection: Connection, *, page: int = PAGE) -> None:
        self._connection = connection
        self._page = page

    def keeping(self) -> Keeping:
        """One request. How long admin events are kept stands in an attribute of the realm."""
        realm = self._connection.get("")
        seconds = int((realm.get("attributes") or {}).get("adminEventsExpiration") or 0)
        return Keeping(
            now=self._connection.server_time(),
            missing=() if realm.get("adminEventsEnabled") else ("admin events",),
            expires_after=timedelta(seconds=seconds) if seconds > 0 else None,
        )

    def since(self, moment: datetime | None) -> Iterator[Sequence[AdminEvent]]:
        """Our service clients are asked for at each reading: one that was made anew has another id
        (fact: admin-events-name-the-client). We never write through Keycloak's SCIM server: who does with the
        secret of a client of ours is somebody else."""
        ours = {client["id"]: name for name in OURS for client in self._connection.get("clients", clientId=name)}
        for page in pages(self._connection, "admin-events", moment, self._page):
            found = (
                AdminEvent(each["id"], time_of(each), each.get("resourcePath") or "", _author(each, ours))
                for each in page
            )
            yield [event for event in found if event.author.client_id is None or event.path.startswith(SCIM)]

    def own_changes(self, moment: datetime | None) -> Iterator[Sequence[AdminEvent]]:
        for page in pages(self._connection, "events", moment, self._page, type=list(OWN_CHANGES)):
            yield [
                AdminEvent(each["id"], time_of(each), f"users/{user}", Author(user, themself=True))
                for each in page
                if (user := each.get("userId"))
            ]

    def names(self, authors: Collection[Author]) -> Mapping[Author, Name]:
        """A request each, or none for who is not of this realm."""
        named = {author: self._name(author) for author in set(authors)}
        return {author: name for author, name in named.items() if name is not None}

    def _name(self, author: Author) -> Name | None:
        if author.client_id is not None:
            return Name(f"somebody with the secret of the client {author.client_id}")
        if author.user_id is None:
            return Name("an administrator of another realm")
        if author.themself:
            acted_as = self._connection.get("events", type="IMPERSONATE", user=author.user_id, max=1)
            return None if acted_as else Name("the person")
        user = self._connection.find(f"users/{segment(author.user_id)}")
        if user is None:
            return Name(f"a user that is gone since ({author.user_id})")
        name = str(user["username"])
        if name.startswith(SERVICE_ACCOUNT):
            return Name(f"the client {name.removeprefix(SERVICE_ACCOUNT)}", program=True)
        return Name(name)


def _author(event: Json, ours: Mapping[str, str]) -> Author:
    """An administrator of another realm, mostly of master, cannot be asked for in this one."""
    said = event.get("authDetails") or {}
    of_this_realm = said.get("realmId") == event.get("realmId")
    return Author(said.get("userId") if of_this_realm else None, ours.get(str(said.get("clientId"))))


def pages(
    connection: Connection, path: str, moment: datetime | None, size: int, **filters: object
) -> Iterator[list[Json]]:
    """Ascending by time, from that moment on; what stands at the seam of two pages comes once."""
    begins = 0 if moment is None else (moment - EPOCH) // MILLISECOND
    first, seam = 0, frozenset[str]()
    while True:
        page = connection.get(path, direction="asc", dateFrom=begins, first=first, max=size, **filters)
        if fresh := [each for each in page if each["id"] not in seam]:
            yield fresh
        if len(page) < size:
            return
        last = page[-1]["time"]
        if last > begins:
            begins, first = last, 0
            seam = frozenset(each["id"] for each in page if each["time"] == last)
        else:
            first += len(page)
            seam |= {each["id"] for each in page}


def time_of(event: Json) -> datetime:
    return EPOCH + int(event["time"]) * MILLISECOND
