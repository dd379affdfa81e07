"""A temporary password is shown once it is in place, and to nobody before (C1, rule: secrets-go)."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from sync.domain.accounts.account import Account
from sync.domain.errors import NeedsPerson
from sync.domain.work.lane import Lane
from sync.entrypoints.cli import acts, app
from sync.entrypoints.cli.accounts import account
from sync.store.audit.timeline import read_timeline
from tests.entrypoints.cli.conftest import Run, done, told
from tests.fakes.accounts import FakeUser
from tests.jobs.acts.act_steps import HOURS
from tests.world import World

pytestmark = pytest.mark.req("C1")

PASSWORD = re.compile(r"(?:[a-z2-9]{4}-){5}[a-z2-9]{4}")
WHY = ("--reason", "forgot it")


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command; no worker works unless a test says so."""
    for module in (account, acts):
        monkeypatch.setattr(module, "open_desk", lambda: world.systems)
    return lambda *arguments: CliRunner().invoke(app, ["account", *arguments])


@pytest.fixture
def worker(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the lane interactive that works at every wake."""
    monkeypatch.setattr(world.wake, "wake", lambda lane: lane is Lane.INTERACTIVE and world.work())


@pytest.fixture
def who(people: list[Account]) -> str:
    return people[0].username


def reset_late(run: Run, who: str, *options: str) -> str:
    """What the door says of a reset that no worker comes to in time."""
    said = run("reset-password", who, *WHY, "--timeout", "1", *options)
    assert said.exit_code == 1
    return said.output


def test_a_password_in_place_is_shown_with_the_reset(run: Run, worker: None, world: World, who: str) -> None:
    """The one that opens the login; then it is nowhere here."""
    [shown] = PASSWORD.findall(done(run("reset-password", who, *WHY)))
    [user] = [each for each in world.accounts.users.values() if each.username == who]
    assert user.password == shown
    again = run("show-password", who)
    assert (again.exit_code, PASSWORD.findall(again.output)) == (1, [])
    assert "has none to show: it was shown, replaced or refused" in again.output


def test_a_password_that_is_not_in_place_is_not_shown(run: Run, world: World, who: str) -> None:
    """The door says how to see it later; asked too early it says why not."""
    said = reset_late(run, who)
    assert not PASSWORD.search(said)
    assert f"fsm-identity account show-password {who}" in said
    early = run("show-password", who)
    assert (early.exit_code, "is not in place yet: no worker has come to it" in early.output) == (1, True)
    world.work()
    assert len(PASSWORD.findall(done(run("show-password", who)))) == 1
    assert run("show-password", who).exit_code == 1


def test_nobody_has_to_wait(run: Run, world: World, who: str) -> None:
    """For programs too."""
    answer = told(run, "reset-password", who, *WHY, "--no-wait")
    assert "temporary_password" not in answer
    assert answer["show_password"] == f"fsm-identity account show-password {who}"
    world.work()
    assert PASSWORD.fullmatch(told(run, "show-password", who)["temporary_password"])


def test_a_refused_reset_shows_nothing(run: Run, worker: None, world: World, who: str) -> None:
    """Nobody reads a password to somebody whose login it does not open."""
    world.credentials.fail_next(NeedsPerson("Keycloak refuses it"))
    said = run("reset-password", who, *WHY)
    assert said.exit_code == 1
    assert "reset-password failed: Keycloak refuses it" in said.output
    assert "password, shown once" not in said.output
    assert not PASSWORD.search(said.output + run("show-password", who).output)


def test_of_two_resets_the_one_that_is_in_place_is_shown(run: Run, world: World, who: str) -> None:
    """Not one that was replaced before a worker came to it, nor one that nobody had asked for by the next."""
    reset_late(run, who)
    reset_late(run, who)
    world.work()
    reset_late(run, who)
    world.work()
    [shown] = PASSWORD.findall(done(run("show-password", who)))
    [user] = [each for each in world.accounts.users.values() if each.username == who]
    assert user.password == shown
    assert run("show-password", who).exit_code == 1


def test_a_mailed_password_is_not_shown(run: Run, worker: None, who: str) -> None:
    """It is for its owner alone."""
    assert "show-password" not in done(run("reset-password", who, *WHY, "--mail"))
    assert run("show-password", who).exit_code == 1


def test_a_password_whose_time_is_up_is_not_shown(run: Run, world: World, who: str) -> None:
    """It opens nothing any more."""
    reset_late(run, who)
    world.work()
    world.pass_time(HOURS)
    assert not PASSWORD.search(run("show-password", who).output)


def test_who_saw_it_is_kept_and_the_password_is_not(run: Run, world: World, people: list[Account]) -> None:
    """In the account's timeline."""
    reset_late(run, people[0].username)
    world.work()
    [shown] = PASSWORD.findall(done(run("show-password", people[0].username, "--reason", "she called back")))
    timeline = world.read(lambda tx: read_timeline(tx, people[0].id))
    seen = [entry.reason for entry in timeline if entry.title == "temporary password shown"]
    assert seen == ["she called back"]
    assert shown not in world.path.read_bytes().decode("latin-1")


NEW = (
    *("create", "--email", "jo.lind@example.com", "--given-name", "Jo", "--family-name", "Lind"),
    *("--profile", "dispatcher", "--branch", "hamburg", "--reason", "joins"),
)


@pytest.mark.req("B1")
def test_a_new_account_has_its_password_shown_once_keycloak_has_it(run: Run, worker: None, world: World) -> None:
    """The one that opens the first login; then it is nowhere here."""
    [shown] = PASSWORD.findall(done(run(*NEW)))
    [user] = world.accounts.users.values()
    assert user.password == shown
    assert run("show-password", "jo.lind@example.com").exit_code == 1


@pytest.mark.req("B1")
def test_a_new_account_that_keycloak_has_not_taken_shows_none(run: Run, world: World) -> None:
    """Later it can be seen, once."""
    said = run(*NEW, "--timeout", "1")
    assert said.exit_code == 1
    assert not PASSWORD.search(said.output)
    assert "fsm-identity account show-password jo.lind@example.com" in said.output
    early = run("show-password", "jo.lind@example.com")
    assert (early.exit_code, "Keycloak has no user for it" in early.output) == (1, True)
    world.work()
    [shown] = PASSWORD.findall(done(run("show-password", "jo.lind@example.com")))
    [user] = world.accounts.users.values()
    assert user.password == shown
    assert run("show-password", "jo.lind@example.com").exit_code == 1


@pytest.mark.req("B1")
def test_a_new_account_that_is_refused_shows_none(run: Run, worker: None, world: World) -> None:
    """Its name is somebody else's in Keycloak."""
    world.accounts.users["other"] = FakeUser("other", "jo.lind@example.com", "jo@elsewhere.example.com")
    said = run(*NEW)
    assert said.exit_code == 1
    assert "needs a person (conflict)" in said.output
    assert not PASSWORD.search(said.output + run("show-password", "jo.lind@example.com").output)
