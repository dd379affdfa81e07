"""`fsm-identity account show`: that a repair was drift, what it was, and from whom where Keycloak tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync.domain.accounts.account import Account
from sync.domain.drift.hints import Author
from sync.jobs.drift.admin_events import look_at_admin_events
from sync.jobs.schedule.run_jobs import run_due_job
from sync.jobs.work.job import Job
from tests.comparing import compare
from tests.entrypoints.cli.conftest import Run, told
from tests.jobs.drift.drift_steps import bulk
from tests.world import POLICY, World

pytestmark = pytest.mark.req("G4", "E6")

EVENTS = {"admin-events": Job(look_at_admin_events, timedelta(seconds=30))}
BOSS = Author("kc-boss")


@pytest.fixture
def ann(world: World, people: list[Account]) -> Account:
    """Ann, as wanted; the events were read once, and everything was compared."""
    world.admins.usernames["kc-boss"] = "boss@example.com"
    read(world)
    world.pass_time(600)
    compare(world.systems)
    return people[0]


def read(world: World) -> None:
    """The next reading of Keycloak's events, and the workers."""
    world.pass_time(60)
    assert run_due_job(world.systems, EVENTS) == 1
    bulk(world)


def rename(world: World, account: Account, name: str, by: Author | None = None) -> None:
    """In Keycloak; with `by` its events tell who did."""
    user = world.user(account)
    user.family_name = name
    if by is not None:
        world.admins.happen(f"users/{user.id}", by)


def drift(run: Run, account: Account) -> list[str]:
    """What the last entry of its timeline says of drift."""
    newest = told(run, "show", account.username)["timeline"][-1]
    assert newest["title"].endswith("drift in Keycloak repaired)")
    return [each for each in newest["details"] if each.startswith("drift: ")]


def test_a_repair_says_what_was_changed_and_by_whom(run: Run, world: World, ann: Account) -> None:
    """From what, to what, by whom, when."""
    rename(world, ann, "Behind", BOSS)
    at = world.clock.now()
    read(world)
    changed = "drift: family name was changed from 'Arno' to 'Behind' in Keycloak"
    assert drift(run, ann) == [f"{changed}, by boss@example.com at {at:%Y-%m-%d %H:%M} UTC"]


def test_nobody_is_named_where_nobody_is_known(run: Run, world: World, ann: Account) -> None:
    """No event tells of it: a federation did it, or Keycloak's database."""
    rename(world, ann, "Behind")
    world.pass_time(60)
    compare(world.systems)
    bulk(world)
    assert drift(run, ann) == ["drift: family name was changed from 'Arno' to 'Behind' in Keycloak"]


def test_who_did_something_else_is_not_named(run: Run, world: World, ann: Account) -> None:
    """Who gave a new password or a group did not change the name; nor did who changed something that was as wanted
    again before."""
    user = world.user(ann)
    world.admins.happen(f"users/{user.id}", Author("kc-early"))
    read(world)
    world.admins.happen(f"users/{user.id}/reset-password", BOSS)
    world.admins.happen(f"users/{user.id}/groups/some", BOSS)
    rename(world, ann, "Behind")
    read(world)
    assert drift(run, ann) == ["drift: family name was changed from 'Arno' to 'Behind' in Keycloak"]


def test_several_who_changed_it_are_all_named(run: Run, world: World, ann: Account) -> None:
    """Nobody can tell them apart: an event does not say what it changed."""
    world.admins.clients["kc-tool"] = "payroll"
    rename(world, ann, "Behind", BOSS)
    world.pass_time(5)
    rename(world, ann, "Further", Author("kc-tool"))
    rename(world, ann, "Further", Author(None))
    read(world)
    [said] = drift(run, ann)
    for who in ("boss@example.com at ", "the client payroll at ", "an administrator of another realm at "):
        assert who in said


def test_who_gave_a_group_is_named(run: Run, world: World, ann: Account) -> None:
    """What it was is told in the words of the console."""
    user = world.user(ann)
    user.groups = {*user.groups, "/fsm/profiles/administrator"}
    world.admins.happen(f"users/{user.id}/groups/some", BOSS)
    read(world)
    [said] = drift(run, ann)
    assert said.startswith("drift: was put into /fsm/profiles/administrator in Keycloak, by boss@example.com at ")


def test_a_comparison_that_was_quicker_than_the_events(run: Run, world: World, ann: Account) -> None:
    """Repaired before anybody had read who did it: the timeline tells it as soon as it was read."""
    rename(world, ann, "Behind", BOSS)
    world.pass_time(5)
    compare(world.systems)
    bulk(world)
    assert "by " not in drift(run, ann)[0]
    read(world)
    assert "by boss@example.com at " in drift(run, ann)[0]


def test_the_second_repair_does_not_name_who_did_the_first(run: Run, world: World, ann: Account) -> None:
    """Each since the one before."""
    rename(world, ann, "Behind", BOSS)
    read(world)
    rename(world, ann, "Again")
    world.pass_time(60)
    compare(world.systems)
    bulk(world)
    assert drift(run, ann) == ["drift: family name was changed from 'Arno' to 'Again' in Keycloak"]


@pytest.mark.req("C9")
@pytest.mark.parametrize(("acted_as", "told_of"), [(False, ", by the person at "), (True, "")])
def test_what_people_change_themselves_is_theirs(
    run: Run, world: World, ann: Account, acted_as: bool, told_of: str
) -> None:
    """On Keycloak's own pages; not where an administrator may have acted as the person."""
    user = world.user(ann)
    rename(world, ann, "Married")
    world.admins.change_own(user.id)
    world.admins.acted_as = {user.id} if acted_as else set()
    read(world)
    [said] = drift(run, ann)
    assert (", by " in said, told_of in said) == (not acted_as, True)


def test_what_the_file_accepts_names_them_too(run: Run, world: World, ann: Account) -> None:
    """The reason in the history of the account."""
    accepted = replace(POLICY.drift, reactions={**POLICY.drift.reactions, "family-name": "accept"})
    world.systems = replace(world.systems, policy=replace(world.systems.policy, drift=accepted))
    rename(world, ann, "Married", BOSS)
    read(world)
    reasons = [each["reason"] for each in told(run, "show", ann.username)["timeline"]]
    said = [
        each for each in reasons if "is accepted from Keycloak (changed there, by boss@example.com at " in each
    ]
    assert len(said) == 1
