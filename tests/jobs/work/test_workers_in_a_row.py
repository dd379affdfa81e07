"""An account or a job over which every worker ends, out of memory or in a crash, and those that only were near."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.commands.accounts.change import change
from sync.commands.operations.quarantine import retry
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import Transient
from sync.domain.work.ladder import LONGEST
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.domain.work.takeovers import ALONE_AFTER, GIVEN_UP_AFTER, JOB_TOLD_AFTER
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.schedule.run_jobs import run_due_job
from sync.jobs.systems import Systems
from sync.jobs.work.job import Job, KeepLease
from sync.store.operations import figures
from sync.store.provisioning import stuck
from sync.store.work import account_claims
from sync.store.work.lease_rows import Terms
from sync.views.operations.troubles import of_figures
from tests.world import BY, POLICY, World

pytestmark = pytest.mark.supports("H1", "H2")


class Killed(BaseException):
    """The worker's process is gone."""


def staff(world: World, number: int) -> list[Account]:
    people = [world.join(f"person.n{each}") for each in range(number)]
    world.work()
    return people


def wanted_again(world: World, people: list[Account]) -> None:
    for account in people:
        world.do(
            lambda tx, each=account: change(  # type: ignore[misc]
                tx, POLICY, each.id, AccountChange(given_name="Ada"), BY, world.clock.now()
            )
        )


def drained(world: World) -> bool:
    """What a worker does with the lane at a wake, and another one after the lease if it ended. True: it lived."""
    try:
        world.work()
    except Killed:
        world.pass_time(LEASE.total_seconds() + 1)
        return False
    return True


def in_quarantine(world: World) -> dict[str, str]:
    return {each.account_id: each.reason for each in world.read(stuck.quarantined)}


def test_one_that_ends_every_worker_waits_for_a_person(world: World) -> None:
    """Those beside it are brought about as soon as it is taken alone; a person may have it tried again."""
    people = staff(world, 5)
    deadly, user = people[0], world.user(people[0]).id
    wanted_again(world, people)
    world.accounts.unreadable[user] = Killed()
    ended = 0
    while not drained(world):
        ended += 1
        if ended > ALONE_AFTER + 1:
            assert all(world.user(each).given_name == "Ada" for each in people[1:])
    assert ended == GIVEN_UP_AFTER
    assert in_quarantine(world) == {deadly.id: f"{GIVEN_UP_AFTER} workers in a row ended over this account"}
    world.accounts.unreadable.clear()
    assert world.do(lambda tx: retry(tx, None, BY, world.clock.now(), account_ids=[deadly.id])) == 1
    assert drained(world)
    assert world.user(deadly).given_name == "Ada"


def test_any_outcome_begins_the_count_anew(world: World) -> None:
    """Also a failure: a worker lived to tell it."""
    [account] = staff(world, 1)
    wanted_again(world, [account])
    for _ in range(3):
        world.accounts.unreadable[world.user(account).id] = Killed()
        for _ in range(GIVEN_UP_AFTER - 1):
            assert not drained(world)
        world.accounts.unreadable[world.user(account).id] = Transient("not now")
        assert drained(world)
        world.pass_time(LONGEST.total_seconds())
    world.accounts.unreadable.clear()
    assert drained(world)
    assert world.user(account).given_name == "Ada"


def test_who_gives_an_account_back_did_not_end_over_it(world: World) -> None:
    """A circuit is open, or the time is up: untouched as often as you like."""
    [account] = staff(world, 1)
    wanted_again(world, [account])
    for _ in range(2 * GIVEN_UP_AFTER):
        with world.systems.db.write() as tx:
            (claim,) = account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 10)
            assert claim.takeovers == 0
            assert account_claims.release(tx, claim)
    assert drained(world)


def test_a_suspected_one_waits_behind_everything_else(world: World) -> None:
    """And is in no batch any more."""
    people = staff(world, 3)
    wanted_again(world, people[:1])
    world.accounts.unreadable[world.user(people[0]).id] = Killed()
    for _ in range(ALONE_AFTER):
        assert not drained(world)
    wanted_again(world, people[1:])
    assert provision_some(world.systems, Lane.INTERACTIVE) == 2
    with pytest.raises(Killed):
        provision_some(world.systems, Lane.INTERACTIVE)


def test_a_job_that_ends_every_worker_is_told(world: World) -> None:
    """It is tried on; its first good end takes the word back."""
    dies = True

    def run(_site: Systems, _keep: KeepLease) -> None:
        if dies:
            raise Killed

    jobs = {"comparison": Job(run, timedelta(hours=6))}
    for number in range(JOB_TOLD_AFTER + 1):
        with pytest.raises(Killed):
            run_due_job(world.systems, jobs)
        assert bool(told(world)) == (number >= JOB_TOLD_AFTER)
        world.pass_time(LEASE.total_seconds() + 1)
    assert told(world) == [f"{JOB_TOLD_AFTER + 1} workers in a row ended over the job comparison"]
    dies = False
    assert run_due_job(world.systems, jobs) == 1
    assert told(world) == []


def told(world: World) -> list[str]:
    found = world.read(lambda tx: of_figures(figures.read(tx, world.clock.now())))
    return [each.what for each in found if "workers in a row" in each.what]
