"""What every implementation of the ports `LoginEvents` and `AdminEvents` promises: the fakes and a real
Keycloak."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import pytest
import requests

from sync.adapters.keycloak.events import KeycloakAdminEvents, KeycloakLoginEvents
from sync.domain.drift.hints import Author
from sync.domain.logins.activity import LoginEvent, LoginKind
from sync.jobs.drift.admin_events import UNSETTLED
from sync.ports.admin_events import AdminEvents
from sync.ports.login_events import LoginEvents
from tests.fakes.events import FakeAdminEvents, FakeLoginEvents
from tests.realms import PASSWORD, ConfiguredRealm
from tests.waiting import wait_until

pytestmark = pytest.mark.supports("A9")

APP = "event-probe"
PAGE = 3


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class World(Protocol):
    logins: LoginEvents
    admins: AdminEvents

    def user(self) -> str:
        """A user with a password. Returns its id."""

    def log_in(self, user: str, *, right: bool = True) -> str:
        """Returns a refresh token, "" for a failed attempt."""

    def refresh(self, token: str) -> None: ...

    def administer(self, user: str, *, by_us: bool = False) -> None:
        """Somebody, or one of our service clients, puts the user into a group and takes it out: two writes."""

    def administer_here(self, user: str) -> str:
        """An administrator with an account in this realm writes the user once. Returns its username."""

    def switched_off(self) -> AbstractContextManager[None]: ...


@dataclass
class FakeWorld:
    logins: FakeLoginEvents
    admins: FakeAdminEvents

    def user(self) -> str:
        return f"u{id(object())}{len(self.logins.events)}"

    def log_in(self, user: str, *, right: bool = True) -> str:
        self.logins.happen(LoginKind.LOGIN if right else LoginKind.FAILURE, user)
        return user if right else ""

    def refresh(self, token: str) -> None:
        self.logins.happen(LoginKind.REFRESH, token)

    def administer(self, user: str, *, by_us: bool = False) -> None:
        for _ in range(0 if by_us else 2):
            self.admins.happen(f"users/{user}/groups/g", Author(None))

    def administer_here(self, user: str) -> str:
        self.admins.usernames["boss"] = "boss@example.com"
        self.admins.happen(f"users/{user}", Author("boss"))
        return "boss@example.com"

    @contextmanager
    def switched_off(self) -> Iterator[None]:
        self.logins.missing, self.admins.missing = ("LOGIN", "LOGIN_ERROR"), ("admin events",)
        yield
        self.logins.missing = self.admins.missing = ()


@dataclass
class KeycloakWorld:
    logins: LoginEvents
    admins: AdminEvents
    realm: ConfiguredRealm

    def user(self) -> str:
        return self.realm.create_user("/fsm/profiles/dispatcher")

    def log_in(self, user: str, *, right: bool = True) -> str:
        form = {"username": self.realm.username(user), "password": PASSWORD if right else "wrong"}
        answer = self._token(grant_type="password", **form)
        assert answer.ok == right, answer.text
        return str(answer.json()["refresh_token"]) if right else ""

    def refresh(self, token: str) -> None:
        assert self._token(grant_type="refresh_token", refresh_token=token).ok

    def administer(self, user: str, *, by_us: bool = False) -> None:
        group = self.realm.get("group-by-path/fsm/profiles/manager")["id"]
        path = f"users/{user}/groups/{group}"
        if by_us:
            connection = self.realm.connection("fsm-worker")
            connection.put(path)
            connection.delete(path)
        else:
            self.realm.send("PUT", path)
            self.realm.send("DELETE", path)

    def administer_here(self, user: str) -> str:
        boss = self.user()
        [client] = self.realm.get("clients", clientId="realm-management")
        roles = [self.realm.get(f"clients/{client['id']}/roles/manage-users")]
        self.realm.send("POST", f"users/{boss}/role-mappings/clients/{client['id']}", roles)
        name = self.realm.username(boss)
        token = self._token(grant_type="password", username=name, password=PASSWORD).json()["access_token"]
        body = self.realm.get(f"users/{user}") | {"lastName": "Behind"}
        headers = {"Authorization": f"Bearer {token}"}
        assert requests.put(self.realm.path(f"users/{user}"), json=body, headers=headers, timeout=30).ok
        return name

    @contextmanager
    def switched_off(self) -> Iterator[None]:
        config = self.realm.get("events/config")
        self.realm.send("PUT", "events/config", config | {"eventsEnabled": False, "adminEventsEnabled": False})
        yield
        self.realm.send("PUT", "events/config", config)

    def _token(self, **form: str) -> requests.Response:
        address = f"{self.realm.url}/realms/{self.realm.realm}/protocol/openid-connect/token"
        return requests.post(address, data={"client_id": APP, **form}, timeout=30)


@pytest.fixture(scope="module", params=["fake", pytest.param("keycloak", marks=pytest.mark.keycloak)])
def world(request: pytest.FixtureRequest) -> World:
    """Each implementation in turn, read in small pages."""
    if request.param == "fake":
        clock = SystemClock()
        return FakeWorld(FakeLoginEvents(clock, page=PAGE), FakeAdminEvents(clock, page=PAGE))
    realm: ConfiguredRealm = request.getfixturevalue("configured_realm")
    realm.send("POST", "clients", {"clientId": APP, "publicClient": True, "directAccessGrantsEnabled": True})
    realm.send("PUT", "", {"quickLoginCheckMilliSeconds": 0})
    connection = realm.connection("fsm-worker")
    return KeycloakWorld(
        KeycloakLoginEvents(connection, page=PAGE), KeycloakAdminEvents(connection, page=PAGE), realm
    )


def of(world: World, user: str, moment: datetime | None = None) -> list[LoginEvent]:
    return [event for page in world.logins.since(moment) for event in page if event.idp_user_id == user]


def test_logins_failures_and_refreshes_come_in_order(world: World) -> None:
    """Each once, with its user, its kind and its time, over many pages; nobody's attempts have no user."""
    user = world.user()
    begun = world.logins.keeping().now - timedelta(seconds=1)
    for _ in range(4):
        world.log_in(user, right=False)
    world.refresh(world.log_in(user))
    found = of(world, user)
    assert [event.kind for event in found] == [*[LoginKind.FAILURE] * 4, LoginKind.LOGIN, LoginKind.REFRESH]
    assert found == sorted(found, key=lambda event: event.at)
    assert len({event.id for event in found}) == 6
    assert begun <= found[0].at <= found[-1].at <= world.logins.keeping().now + timedelta(seconds=2)


def test_reading_from_a_moment_includes_it(world: World) -> None:
    """To the millisecond: what happened then is read again, what happened before is not."""
    user = world.user()
    world.log_in(user)
    world.log_in(user, right=False)
    first, second = of(world, user)
    assert of(world, user, first.at)[0] == first
    later = of(world, user, second.at)
    assert later[-1] == second
    assert (first in later) == (first.at == second.at)
    assert of(world, user, second.at + timedelta(milliseconds=1)) == []


def test_what_is_kept_and_how_long_is_told(world: World) -> None:
    """A month by realm.toml; the clock is Keycloak's, here the same as ours."""
    for events in (world.logins, world.admins):
        keeping = events.keeping()
        assert (keeping.missing, keeping.expires_after) == ((), timedelta(days=30))
        assert abs(keeping.now - datetime.now(UTC)) < timedelta(seconds=5)


def test_events_that_are_switched_off_are_told(world: World) -> None:
    """Silence is not taken for quiet."""
    with world.switched_off():
        assert world.logins.keeping().missing == ("LOGIN", "LOGIN_ERROR")
        assert world.admins.keeping().missing == ("admin events",)
    assert replace(world.logins.keeping(), now=datetime.now(UTC)).missing == ()


@pytest.mark.supports("G4")
def test_what_others_did_to_a_user_is_a_hint_and_what_we_did_is_not(world: World) -> None:
    """Otherwise each of our own writes would make the account due again."""
    user = world.user()
    begun = world.admins.keeping().now - timedelta(seconds=2)
    for _ in range(2):
        world.administer(user)
    world.administer(user, by_us=True)

    def touched(moment: datetime) -> list[str]:
        return [
            event.path for page in world.admins.since(moment) for event in page if f"{user}/groups" in event.path
        ]

    assert len(touched(begun)) == 4
    assert touched(world.admins.keeping().now + timedelta(seconds=5)) == []


@pytest.mark.supports("G4")
def test_who_did_it_is_named(world: World) -> None:
    """By its username, if the realm knows it; an administrator of another realm has no name here, and neither has
    who was removed since."""
    user = world.user()
    begun = world.admins.keeping().now - timedelta(seconds=2)
    boss = world.administer_here(user)
    world.administer(user)
    events = [
        event for page in world.admins.since(begun) for event in page if event.path.startswith(f"users/{user}")
    ]
    authors = [event.author for event in events][-3:]
    names = world.admins.names({*authors, Author("nobody-at-all")})
    other = "an administrator of another realm"
    assert [names[author].text for author in authors] == [boss, other, other]
    assert names[Author("nobody-at-all")].text == "a user that is gone since (nobody-at-all)"
    assert [event for page in world.admins.own_changes(begun) for event in page if user in event.path] == []


@pytest.mark.keycloak
@pytest.mark.supports("G4")
def test_a_change_shows_soon_after_its_event(configured_realm: ConfiguredRealm) -> None:
    """However soon after the event somebody looks: who was touched just now is looked at once more after the time
    that this change had to show itself."""
    user = configured_realm.create_user("/fsm/profiles/dispatcher")
    events = KeycloakAdminEvents(configured_realm.connection("fsm-worker"))
    begun = events.keeping().now - timedelta(seconds=2)

    def told() -> int:
        return sum(event.path == f"users/{user}" for page in events.since(begun) for event in page)

    def shown() -> bool:
        return bool(configured_realm.get(f"users/{user}")["enabled"])

    for _ in range(20):
        before, enabled, sent = told(), not shown(), datetime.now(UTC)
        configured_realm.send("PUT", f"users/{user}", {"enabled": enabled})
        wait_until(partial(lambda before: told() > before, before), 10, "no event tells it")
        while shown() is not enabled:
            assert datetime.now(UTC) < sent + UNSETTLED, "the change does not show"
