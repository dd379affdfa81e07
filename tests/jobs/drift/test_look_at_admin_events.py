"""What administrators do in Keycloak as a hint of what to look at (G4): soon, bounded, and never believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mappings.guard import Limit
from sync.domain.accounts.account import Account
from sync.domain.drift.anomaly import Anomaly, Irregularity
from sync.domain.drift.hints import AdminEvent, Hint, hint_of
from sync.domain.provisioning.aspect import Aspect
from sync.domain.work.lane import Lane
from sync.jobs.drift.admin_events import BETWEEN_COMPARISONS, COMPARISON, look_at_admin_events
from sync.jobs.schedule import run_jobs
from sync.jobs.systems import Systems
from sync.jobs.work.job import Job, KeepLease
from sync.store import schedule
from sync.store.accounts import accounts
from sync.store.audit.timeline import read_timeline
from sync.store.database.tables import account as table
from sync.store.drift import findings
from sync.store.drift.findings import Subject
from sync.store.provisioning import due as provisioning
from sync.store.provisioning import work_state
from sync.store.runs import runs
from sync.store.runs.runs import Run
from tests.fakes.events import SOMEBODY
from tests.jobs.drift.drift_steps import bulk
from tests.world import POLICY, World

pytestmark = pytest.mark.supports("G4")

JOB = {"admin-events": Job(look_at_admin_events, timedelta(seconds=30))}


def nothing(_site: Systems, _keep: KeepLease) -> None:
    """Compares everything, in another test."""


COMPARING = {COMPARISON: Job(nothing, timedelta(days=1))}


def read(world: World, seconds: float = 35) -> None:
    world.pass_time(seconds)
    assert run_jobs.run_due_job(world.systems, JOB) == 1


def compare(world: World) -> bool:
    """Whether a comparison was due; it is done then."""
    return run_jobs.run_due_job(world.systems, COMPARING) == 1


def due(world: World, account: Account) -> bool:
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    return state.due_at is not None


@pytest.fixture
def kim(world: World) -> Account:
    """Somebody with an account in Keycloak, after the first reading and the comparison that comes with it."""
    account = world.join("kim.lind")
    world.work()
    assert compare(world)
    read(world)
    world.pass_time(BETWEEN_COMPARISONS.total_seconds())
    compare(world)
    world.pass_time(BETWEEN_COMPARISONS.total_seconds())
    return account


def test_a_change_by_hand_is_looked_at_and_mended_soon(world: World, kim: Account) -> None:
    """Somebody joins a person to a group of ours in the console: after the next poll it is as wanted again."""
    user = world.user(kim)
    user.groups.add("/fsm/profiles/administrator")
    world.admins.happen(f"users/{user.id}/groups/some-id")
    world.wake.woken.clear()
    read(world)
    assert world.wake.woken == [Lane.BULK]
    bulk(world)
    assert "/fsm/profiles/administrator" not in world.user(kim).groups
    newest = world.read(lambda tx: read_timeline(tx, kim.id))[-1]
    assert newest.title == "applied (version 1, drift in Keycloak repaired)"
    assert "leave /fsm/profiles/administrator" in newest.details
    assert not compare(world)


@pytest.mark.supports("J6")
def test_a_change_through_keycloaks_scim_server_is_mended_as_soon(world: World, kim: Account) -> None:
    """It writes past accounts, reasons and the gate; where somebody switched it on, what it did is undone after
    the next poll and not hours later."""
    user = world.user(kim)
    user.groups.add("/fsm/profiles/administrator")
    world.admins.happen(f"scim/v2/Users/{user.id}")
    read(world)
    bulk(world)
    assert "/fsm/profiles/administrator" not in world.user(kim).groups


@pytest.mark.supports("J6")
def test_a_group_changed_through_keycloaks_scim_server_makes_a_comparison_due(world: World, kim: Account) -> None:
    """It changes rights of all who are in the group."""
    world.admins.happen("scim/v2/Groups/some-id")
    read(world)
    assert compare(world)


def test_an_event_is_one_look_however_often_it_is_read(world: World, kim: Account) -> None:
    """The overlap brings it again; what is not an account of ours is nothing to us."""
    world.admins.happen(f"users/{world.user(kim).id}")
    world.admins.happen("users/somebody-else")
    read(world)
    world.work(Lane.BULK)
    for _ in range(3):
        read(world)
        assert not due(world, kim)


def switched_off(world: World) -> list[str]:
    """The usernames of which that is known."""
    open_now = world.read(lambda tx: findings.listed(tx, states=["open"]))
    return [each.subject.who for each in open_now if each.attribute is Aspect.SWITCHED_OFF]


def test_an_event_that_is_told_before_its_change_is_looked_at_again(world: World, kim: Account) -> None:
    """Keycloak tells the event while it still shows the user as before; the event does not come a second time."""
    user = world.user(kim)
    world.pass_time(35)
    world.admins.happen(f"users/{user.id}")
    read(world, 0)
    user.enabled = False
    read(world)
    assert switched_off(world) == [kim.username]


def test_a_change_to_a_user_whose_id_is_not_yet_written_down_is_seen(world: World, kim: Account) -> None:
    """An administrator is quicker than the worker that has just made the user; nothing said whose it is."""
    user = world.user(kim)
    with world.systems.db.write() as tx:
        tx.connection.execute(table.update().where(table.c.id == kim.id).values(idp_user_id=None))
    user.enabled = False
    world.pass_time(35)
    world.admins.happen(f"users/{user.id}")
    read(world, 0)
    with world.systems.db.write() as tx:
        tx.connection.execute(table.update().where(table.c.id == kim.id).values(idp_user_id=user.id))
    read(world)
    assert switched_off(world) == [kim.username]


def test_a_flood_makes_one_comparison_due_and_no_looks(world: World, kim: Account) -> None:
    """Ten thousand users changed by somebody's script."""
    for number in range(10_000):
        world.admins.happen(f"users/{world.user(kim).id if number == 50 else number}")
    world.admins.page = 500
    read(world)
    assert not due(world, kim)
    assert compare(world)
    for _ in range(20):
        read(world)
        assert not compare(world)


def test_a_group_changed_by_hand_makes_a_comparison_due_but_not_all_the_time(world: World, kim: Account) -> None:
    """Nobody knows whom it touches. An administrator at work for an hour does not keep us comparing."""
    compared = 0
    for _ in range(60):
        world.admins.happen("groups/some-id/role-mappings/realm")
        read(world, 60)
        compared += compare(world)
    assert 10 <= compared <= 13
    assert not due(world, kim)


def test_events_that_were_lost_make_a_comparison_due(world: World, kim: Account) -> None:
    """Older than Keycloak keeps them, nobody knows what was in them."""
    world.pass_time(timedelta(days=31).total_seconds())
    compare(world)
    world.pass_time(BETWEEN_COMPARISONS.total_seconds())
    read(world)
    assert compare(world)
    assert not due(world, kim)


def test_without_admin_events_the_status_says_so(world: World, kim: Account) -> None:
    """Drift is then found by the comparison only, and an operator may want to know."""
    world.admins.missing = ("admin events",)
    read(world)
    states = {state.name: state for state in world.read(schedule.all_jobs)}
    error = states["admin-events"].error
    assert error is not None
    assert error[0] == "misconfigured"
    assert "realm apply" in error[1]
    assert not due(world, kim)


def reacting(world: World, **limits: Limit) -> None:
    """guard.toml has these limits."""
    guard = replace(POLICY.guard, limits={**POLICY.guard.limits, **limits})
    world.systems = replace(world.systems, policy=replace(POLICY, guard=guard))


def held(world: World) -> list[Run]:
    return list(world.read(lambda tx: runs.recent(tx, 10, "repair", "held")))


def test_who_was_switched_off_in_an_emergency_stays_off(world: World, kim: Account) -> None:
    """drift.toml says report: the hint makes a finding, and nobody opens the account again by himself."""
    world.user(kim).enabled = False
    world.admins.happen(f"users/{world.user(kim).id}")
    read(world)
    bulk(world)
    assert not world.user(kim).enabled
    [finding] = world.read(lambda tx: findings.listed(tx, states=["open"]))
    assert (finding.attribute, finding.subject.account_id) == (Aspect.SWITCHED_OFF, kim.id)


def test_a_deleted_user_is_a_finding_and_no_quarantine(world: World, kim: Account) -> None:
    """What becomes of it is for drift.toml and for a person to say, as after a comparison."""
    user = world.user(kim)
    del world.accounts.users[user.id]
    world.admins.happen(f"users/{user.id}")
    read(world)
    bulk(world)
    [finding] = world.read(lambda tx: findings.listed(tx, states=["open"]))
    assert finding.attribute is Aspect.MISSING
    state = world.read(lambda tx: work_state.of_account(tx, kim.id))
    assert state is not None
    assert state.quarantine is None


def test_what_is_being_changed_is_looked_at_later(world: World, kim: Account) -> None:
    """While a worker of ours has the account nothing can be said of it; the hint is kept until then."""
    world.do(lambda tx: provisioning.look_again(tx, kim.id, Lane.BULK, world.clock.now()))
    world.admins.happen(f"users/{world.user(kim).id}")
    read(world)
    world.work(Lane.BULK)
    world.user(kim).groups.add("/fsm/profiles/administrator")
    world.pass_time(300)
    read(world)
    bulk(world)
    assert "/fsm/profiles/administrator" not in world.user(kim).groups


def test_many_small_readings_do_not_pass_the_guard(world: World, kim: Account) -> None:
    """Somebody's script gives one role after the other, one each half minute: repairs are counted together, and
    what exceeds the limit waits for a person, once."""
    reacting(world, demoted=Limit(1, None, 10))
    people = [kim, *(world.join(f"kim.{number}") for number in range(2))]
    world.work()
    for account in (*people, people[2]):
        user = world.user(account)
        user.groups.add("/fsm/profiles/administrator")
        world.admins.happen(f"users/{user.id}/groups/some-id")
        read(world)
        bulk(world)
    stays = [account for account in people if "/fsm/profiles/administrator" in world.user(account).groups]
    assert stays == people[1:]
    assert [run.counts for run in held(world)] == [{"update": 1}, {"update": 1}]


@pytest.mark.supports("E7")
def test_many_small_readings_are_not_accepted_one_by_one(world: World, kim: Account) -> None:
    """drift.toml accepts names; a script renames one person after the other: what exceeds the limit stays open."""
    reacting(world, changed=Limit(1, None, 10))
    accepted = replace(POLICY.drift, reactions={**POLICY.drift.reactions, "family-name": "accept"})
    world.systems = replace(world.systems, policy=replace(world.systems.policy, drift=accepted))
    people = [kim, *(world.join(f"kim.{number}") for number in range(2))]
    world.work()
    for account in people:
        world.user(account).family_name = "Arnold"
        world.admins.happen(f"users/{world.user(account).id}")
        read(world)
        bulk(world)
    kept = [world.read(lambda tx, each=each: accounts.get(tx, each.id)) for each in people]  # type: ignore[misc]
    assert [each.family_name for each in kept if each] == ["Arnold", *(each.family_name for each in people[1:])]
    left = world.read(lambda tx: findings.listed(tx, states=["open"]))
    assert {each.subject.account_id for each in left} == {each.id for each in people[1:]}
    assert all("within an hour" in str(each.decision) for each in left)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("users/u1", Hint(frozenset({"u1"}), everything=False)),
        ("users/u1/groups/g1", Hint(frozenset({"u1"}), everything=False)),
        ("users/u1/role-mappings/realm", Hint(frozenset({"u1"}), everything=False)),
        ("attack-detection/brute-force/users/u1", Hint(frozenset({"u1"}), everything=False)),
        ("groups/g1", Hint(frozenset(), everything=True)),
        ("groups/g1/role-mappings/clients/c1", Hint(frozenset(), everything=True)),
        ("roles/fsm-2fa-required", Hint(frozenset(), everything=True)),
        ("roles-by-id/r1/composites", Hint(frozenset(), everything=True)),
        ("clients/c1/roles/dispatch", Hint(frozenset(), everything=True)),
        ("scim/v2/Users/u1", Hint(frozenset({"u1"}), everything=False)),
        ("scim/v2/Groups/g1", Hint(frozenset(), everything=True)),
        ("scim/v2/Groups", Hint(frozenset(), everything=True)),
        ("scim/v2/Schemas", Hint(frozenset(), everything=False)),
        ("clients/c1", Hint(frozenset(), everything=False)),
        ("authentication/flows/f1", Hint(frozenset(), everything=False)),
        ("", Hint(frozenset(), everything=False)),
    ],
)
def test_paths_say_whom_an_act_touches(world: World, path: str, hint: Hint) -> None:
    """One account, all of them, or none."""
    assert hint_of([AdminEvent("a", world.clock.now(), path, SOMEBODY)]) == hint


def test_a_finding_does_not_outlive_its_user(world: World, kim: Account) -> None:
    """Whoever deletes a stranger reads soon that it is over: an act on somebody who has a finding and is not ours
    makes a comparison due, one on any other stranger does not."""

    def find(systems: Systems, keep: KeepLease) -> None:
        with systems.db.write() as tx:
            subject = Subject.of_user("stranger", "guest")
            member = Irregularity(Anomaly.FOREIGN_MEMBER, None, "/fsm/profiles/manager")
            findings.found(tx, keep.claimed(tx), subject, member, "report", systems.clock.now())

    world.admins.happen("users/stranger/groups/some-id")
    read(world)
    assert not compare(world)
    world.pass_time(300)
    assert run_jobs.run_due_job(world.systems, {"finding": Job(find, timedelta(days=1))}) == 1
    world.admins.happen("users/stranger")
    read(world)
    assert compare(world)
