"""Looks that doors ask for: what Keycloak holds is stored, and nothing is put right."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.commands.accounts.look import ask_look
from sync.domain.accounts.account import Account
from sync.domain.errors import Conflict, Transient
from sync.domain.provisioning.observed import LockState
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.jobs.provisioning.looks import GONE, look_where_asked
from sync.jobs.schedule.sweep import sweep
from sync.store.provisioning import due, looks, work_state
from sync.store.provisioning.looks import Look
from sync.store.work import account_claims, lanes
from sync.store.work.lease_rows import Terms
from sync.views.accounts.look import what_differs
from tests.callers import allowed
from tests.claiming import still_claimed
from tests.world import BY, POLICY, World

pytestmark = pytest.mark.supports("A8", "H1")


def newest(world: World, account: Account) -> Look:
    return world.read(lambda tx: looks.newest(tx, account.id))


def test_a_look_stores_what_there_is_and_repairs_nothing(world: World, people: list[Account]) -> None:
    """Somebody joined the user to another group of ours, which the drift policy may leave to a person; the view
    says what a worker would change. One look, one call of Keycloak's gateway."""
    ann = people[0]
    user = world.user(ann)
    group = next(path for path in sorted(world.accounts.groups) if path.startswith("/fsm/teams/"))
    user.groups.add(group)
    user.lock = LockState(temporary=True, failures=5)
    user.tokens["refresh"] = "app"
    world.pass_time(60)
    asked, changed = world.accounts.asked, len(world.accounts.applied)
    asked_at = ask_look(world.systems, ann.id)
    assert world.wake.woken[-1] is Lane.INTERACTIVE
    world.work()
    look = newest(world, ann)
    assert (look.waits, look.failure) == (False, None)
    assert look.seen is not None
    assert (look.seen.observed_at, look.seen.lock.failures) == (asked_at, 5)
    assert group in look.seen.groups
    assert look.seen.sessions is not None
    assert look.seen.sessions.offline_clients == {"app"}
    assert (world.accounts.asked - asked, len(world.accounts.applied)) == (1, changed)
    assert what_differs(ann, POLICY, look.seen) == (f"leave {group}",)
    world.work()
    assert world.accounts.asked - asked == 1, "asked once, looked once"


def test_an_account_in_quarantine_is_looked_at_and_stays_there(world: World, people: list[Account]) -> None:
    ann = people[0]
    world.accounts.fail_next_apply(Conflict("somebody has that name"))
    world.user(ann).groups.clear()
    with world.systems.db.write() as tx:
        due.mark_due(tx, ann.id, Lane.INTERACTIVE, world.clock.now())
    world.work()
    world.pass_time(60)
    asked_at = ask_look(world.systems, ann.id)
    world.work()
    look, work = newest(world, ann), world.read(lambda tx: work_state.of_account(tx, ann.id))
    assert look.seen is not None
    assert look.seen.observed_at == asked_at
    assert work is not None
    assert work.quarantine == ("conflict", "somebody has that name")


def test_whoever_is_being_worked_on_needs_no_other_look(world: World, people: list[Account]) -> None:
    """Its bringing-about stores one; asked while a look goes on, the one is for both."""
    with world.systems.db.write() as tx:
        due.mark_due(tx, people[0].id, Lane.INTERACTIVE, world.clock.now())
    ask_look(world.systems, people[0].id)
    assert not newest(world, people[0]).waits
    ask_look(world.systems, people[1].id)
    with world.systems.db.write() as tx:
        [claim] = account_claims.claim_looks(tx, Terms(world.clock.now()), 5)
        ask_before = newest(world, people[1])
    ask_look(world.systems, people[1].id)
    assert newest(world, people[1]) == ask_before
    with world.systems.db.write() as tx:
        looks.answered(tx, still_claimed(people[1].id), None)
        account_claims.release(tx, claim)
    assert look_where_asked(world.systems) == 0


def test_why_nothing_was_seen_is_told(world: World, people: list[Account]) -> None:
    """Keycloak failed; the user was deleted there, and what was seen of it before is no more shown."""
    ann = people[0]
    world.accounts.fail_next(Transient("Keycloak does not answer", system="keycloak"))
    ask_look(world.systems, ann.id)
    world.work()
    look = newest(world, ann)
    assert (look.failure, look.waits) == ("transient: Keycloak does not answer", False)
    world.accounts.users.clear()
    ask_look(world.systems, ann.id)
    assert newest(world, ann).failure is None
    world.work()
    assert newest(world, ann) == Look(None, waits=False, failure=GONE)


def test_a_look_waits_for_a_paused_lane_and_not_for_ever(world: World, people: list[Account]) -> None:
    """A lost wake is found by the sweep; after a minute nobody wants the look any more."""
    ask_look(world.systems, people[0].id)
    assert Lane.INTERACTIVE in sweep(world.systems)
    with world.systems.db.write() as tx:
        lanes.pause(tx, Lane.INTERACTIVE, allowed(BY), world.clock.now())
    world.work()
    assert newest(world, people[0]).waits
    with world.systems.db.write() as tx:
        lanes.resume(tx, Lane.INTERACTIVE, allowed())
    world.pass_time(timedelta(minutes=1).total_seconds() + 1)
    assert Lane.INTERACTIVE not in sweep(world.systems)
    world.work()
    seen = newest(world, people[0]).seen
    assert seen is not None
    assert world.clock.now() - seen.observed_at > timedelta(minutes=1)


def test_who_lost_the_lease_stores_nothing(
    world: World, people: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has it now saw the user later."""
    observe = world.accounts.observe

    def slow(idp_user_id: str, *, sessions: bool) -> object:
        world.pass_time(LEASE.total_seconds() + 1)
        with world.systems.db.write() as tx:
            due.mark_due(tx, people[0].id, Lane.INTERACTIVE, world.clock.now())
            assert account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
        return observe(idp_user_id, sessions=sessions)

    monkeypatch.setattr(world.accounts, "observe", slow)
    before = newest(world, people[0]).seen
    ask_look(world.systems, people[0].id)
    assert look_where_asked(world.systems) == 1
    assert newest(world, people[0]).seen == before
