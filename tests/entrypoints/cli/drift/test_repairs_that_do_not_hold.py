"""A repair that does not hold twice is told with its cause, once an attribute, and not repeated for ever (G4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account
from sync.domain.drift.hints import Author
from sync.domain.work.lane import Lane
from sync.entrypoints.cli import app, drift
from sync.jobs.drift.admin_events import look_at_admin_events
from sync.jobs.schedule.run_jobs import run_due_job
from sync.jobs.work.job import Job
from sync.store.operations import figures
from sync.views.operations.troubles import of_figures
from tests.comparing import compare
from tests.entrypoints.cli.conftest import Run, done, told
from tests.jobs.drift.drift_steps import bulk
from tests.world import World

pytestmark = pytest.mark.req("G4", "H3")

EVENTS = {"admin-events": Job(look_at_admin_events, timedelta(seconds=30))}
PAYROLL = Author("kc-payroll")
BOSS = Author("kc-boss")


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command; the interactive lane works at once."""
    monkeypatch.setattr(drift, "open_desk", lambda: world.systems)
    monkeypatch.setattr(world.wake, "wake", lambda lane: world.work(lane) if lane is Lane.INTERACTIVE else None)
    world.admins.clients["kc-payroll"] = "payroll"
    world.admins.usernames["kc-boss"] = "boss@example.com"
    return lambda *arguments: CliRunner().invoke(app, ["drift", *arguments])


@pytest.fixture
def staff(run: Run, world: World, people: list[Account]) -> list[Account]:
    """Three accounts; Keycloak's events were read once."""
    assert run_due_job(world.systems, EVENTS) == 1
    return people


def compared(world: World, hours: float = 6) -> None:
    """The next comparison, and the workers."""
    world.pass_time(hours * 3600)
    compare(world.systems)
    bulk(world)


def write(world: World, accounts: list[Account], by: Author | None = None) -> None:
    """Something writes a family name in Keycloak, and a comparison follows; with `by` events tell of it."""
    for account in accounts:
        world.user(account).family_name = "Directory"
        if by is not None:
            world.admins.happen(f"users/{world.user(account).id}", by)
    if by is not None:
        world.pass_time(60)
        assert run_due_job(world.systems, EVENTS) == 1
        bulk(world)
    compared(world)


def troubles(world: World) -> list[str]:
    found = world.read(lambda tx: of_figures(figures.read(tx, world.clock.now())))
    return [each.what for each in found if "does not keep" in each.what]


def test_what_comes_back_after_two_repairs_is_told_and_left(run: Run, world: World, staff: list[Account]) -> None:
    """A federation writes what its directory holds after each repair: no event tells of it."""
    ann = staff[0]
    for _ in range(2):
        write(world, [ann])
        assert (world.user(ann).family_name, troubles(world)) == ("Arno", [])
    write(world, [ann])
    told_once = [
        "Keycloak does not keep family-name of 1 account: repaired 2 times, and it comes back; no event tells who "
        "writes it"
    ]
    assert (world.user(ann).family_name, troubles(world)) == ("Directory", told_once)
    assert "comes back" in done(run("list"))
    [finding] = told(run, "list")
    assert len(finding["undone"]["at"]) == 2
    assert "undone by something no event tells of" in done(run("show", finding["id"]))
    write(world, [ann])
    assert troubles(world) == told_once


def test_many_accounts_are_one_trouble(run: Run, world: World, staff: list[Account]) -> None:
    """What writes them is one thing."""
    for _ in range(3):
        write(world, staff)
    [said] = troubles(world)
    assert "of 3 accounts" in said
    assert [each["reaction"] for each in told(run, "list")] == ["report"] * 3


def test_the_program_that_does_it_is_named(world: World, staff: list[Account]) -> None:
    """Its client is in Keycloak's events."""
    for _ in range(3):
        write(world, staff[:1], PAYROLL)
    [said] = troubles(world)
    assert said.endswith("the client payroll writes it")


def test_what_a_person_does_again_and_again_is_repaired_each_time(world: World, staff: list[Account]) -> None:
    """That is drift, told as such; what came before a person's doing is not counted."""
    for by in (BOSS, BOSS, BOSS, None):
        write(world, staff[:1], by)
        assert (world.user(staff[0]).family_name, troubles(world)) == ("Arno", [])


def test_what_gives_access_is_taken_away_all_the_same(world: World, staff: list[Account]) -> None:
    """Told too, and never left."""
    manager = vocabulary.profile_group("manager")
    for _ in range(4):
        world.user(staff[0]).groups = {*world.user(staff[0]).groups, manager}
        compared(world)
        assert manager not in world.user(staff[0]).groups
    [said] = troubles(world)
    assert said.startswith("Keycloak does not keep profile of 1 account")


def test_once_it_is_stopped_a_person_has_it_repaired(run: Run, world: World, staff: list[Account]) -> None:
    """It holds, and nothing is told any more."""
    for _ in range(3):
        write(world, staff[:1])
    [finding] = told(run, "list")
    done(run("repair", finding["id"], "--reason", "the federation is off"))
    assert (world.user(staff[0]).family_name, troubles(world)) == ("Arno", [])
    compared(world)
    assert told(run, "list") == []


def test_long_ago_is_another_story(world: World, staff: list[Account]) -> None:
    """Once in three weeks is no fight."""
    for _ in range(4):
        write(world, staff[:1])
        assert world.user(staff[0]).family_name == "Arno"
        compared(world, hours=21 * 24)
    assert troubles(world) == []
