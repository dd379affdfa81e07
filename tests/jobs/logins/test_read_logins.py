"""Last logins and failed attempts from Keycloak's events (A9): exact, whatever happens to the reader."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.status import Status
from sync.domain.logins.activity import LoginActivity, LoginKind
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.jobs.logins import read_logins
from sync.jobs.schedule import run_jobs
from sync.jobs.work.job import Job
from sync.store import logins, schedule
from sync.store.accounts.listing import list_accounts
from sync.store.accounts.query import AccountQuery
from sync.store.provisioning import due
from tests.world import World

pytestmark = pytest.mark.supports("A9")

JOB = {"login-events": Job(read_logins, timedelta(seconds=30))}


def read(world: World) -> str | None:
    """Half a minute later a worker reads; the error if it failed."""
    world.pass_time(35)
    assert run_jobs.run_due_job(world.systems, JOB) == 1
    [state] = world.read(schedule.all_jobs)
    return None if state.error is None else ": ".join(state.error)


def known(world: World, account: Account) -> LoginActivity:
    return world.read(lambda tx: logins.of_user(tx, world.user(account).id))


def gaps(world: World) -> list[tuple[float, float, str]]:
    """In seconds before now."""
    now = world.logins.now()
    return [
        ((now - gap.begins).total_seconds(), (now - gap.ends).total_seconds(), gap.reason)
        for gap in world.read(logins.gaps)
        if gap.begins.year > 1970
    ]


@pytest.fixture
def kim(world: World) -> Account:
    """Somebody with an account in Keycloak."""
    account = world.join("kim.lind")
    world.work()
    return account


def happen(world: World, kim: Account, *kinds: LoginKind, ago: float = 0) -> None:
    for kind in kinds:
        world.logins.happen(kind, world.user(kim).id, ago=ago)


def test_logins_and_failures_are_known_to_the_minute(world: World, kim: Account) -> None:
    """First and last login, the failures since, when the last one was; many polls change nothing."""
    begun = world.clock.now()
    happen(world, kim, LoginKind.FAILURE, LoginKind.FAILURE)
    world.pass_time(20)
    happen(world, kim, LoginKind.LOGIN)
    world.pass_time(20)
    happen(world, kim, *[LoginKind.FAILURE] * 5)
    world.logins.happen(LoginKind.FAILURE, None)
    for _ in range(6):
        assert read(world) is None
    at = [begun + timedelta(seconds=seconds) for seconds in (0, 20, 40)]
    assert known(world, kim) == LoginActivity(at[1], at[1], at[1], failures=5, last_failure_at=at[2])
    assert gaps(world) == []


def test_pending_ends_at_the_first_login(world: World, kim: Account) -> None:
    """Nobody looks at the user for that; an invitation that was used is not shown as pending."""

    def status() -> Status:
        page = world.read(lambda tx: list_accounts(tx, Scope.all(), AccountQuery()))
        return page.items[0].status(world.clock.now()).status

    world.do(lambda tx: due.look_again(tx, kim.id, Lane.INTERACTIVE, world.clock.now()))
    world.work()
    assert status() is Status.PENDING
    world.pass_time(10)
    happen(world, kim, LoginKind.LOGIN)
    read(world)
    assert status() is Status.ACTIVE


def test_an_event_that_is_stored_late_is_not_missed(world: World, kim: Account) -> None:
    """Its time is before the last poll. A login that comes late leaves the failures after it, and only those."""
    happen(world, kim, LoginKind.FAILURE, ago=60)
    happen(world, kim, LoginKind.FAILURE, ago=5)
    read(world)
    assert known(world, kim).failures == 2
    happen(world, kim, LoginKind.LOGIN, ago=70)
    read(world)
    assert known(world, kim).failures == 1


def test_a_crash_between_read_and_commit_loses_and_doubles_nothing(
    world: World, kim: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four pages; the worker dies at each place in turn, and the next one goes on."""
    happen(world, kim, *[LoginKind.FAILURE] * 10)
    take = logins.take
    for crash_at in (1, 2, 4):
        calls = iter(range(1, 100))

        def crashing(
            tx: object, held: object, events: object, calls: object = calls, crash_at: int = crash_at
        ) -> None:
            take(tx, held, events)  # type: ignore[arg-type]
            if next(calls) == crash_at:  # type: ignore[call-overload]
                raise KeyboardInterrupt

        monkeypatch.setattr(logins, "take", crashing)
        world.pass_time(LEASE.total_seconds() + 1)
        with pytest.raises(KeyboardInterrupt):
            run_jobs.run_due_job(world.systems, JOB)
    monkeypatch.setattr(logins, "take", take)
    world.pass_time(LEASE.total_seconds() + 1)
    assert run_jobs.run_due_job(world.systems, JOB) == 1
    assert known(world, kim).failures == 10


def test_events_that_expired_unread_are_a_gap(world: World, kim: Account) -> None:
    """No worker for forty days: what was deleted is named with its times, what is left is read."""
    read(world)
    world.pass_time(timedelta(days=5).total_seconds())
    happen(world, kim, LoginKind.LOGIN)
    world.pass_time(timedelta(days=35).total_seconds())
    happen(world, kim, LoginKind.FAILURE)
    read(world)
    [(begins, ends, reason)] = gaps(world)
    assert begins == timedelta(days=40, seconds=35).total_seconds()
    assert ends == timedelta(days=30).total_seconds()
    assert "deleted" in reason
    assert known(world, kim) == LoginActivity(failures=1, last_failure_at=known(world, kim).last_failure_at)


def test_events_that_are_switched_off_are_named_and_a_gap(world: World, kim: Account) -> None:
    """The job says what to run, the gap grows, and ends when Keycloak stores them again."""
    read(world)
    world.logins.missing = ("LOGIN",)
    happen(world, kim, LoginKind.LOGIN)
    for _ in range(3):
        assert read(world) == (
            "misconfigured: Keycloak does not store the events LOGIN: logins go by unseen; "
            "run `fsm-identity realm apply`"
        )
    world.logins.missing = ()
    happen(world, kim, LoginKind.FAILURE)
    assert read(world) is None
    assert gaps(world) == [(140.0, 35.0, "Keycloak did not store LOGIN")]
    assert known(world, kim).failures == 1


def test_removed_events_are_a_gap(world: World, kim: Account) -> None:
    """An administrator cleared them, or Keycloak was restored: nobody can say what else was there."""
    happen(world, kim, LoginKind.LOGIN)
    read(world)
    world.logins.events.clear()
    read(world)
    assert [(ends, reason) for _, ends, reason in gaps(world)] == [(0.0, "events were removed in Keycloak")]
    read(world)
    assert len(gaps(world)) == 1
    assert known(world, kim).last_login_at is not None


@pytest.mark.parametrize("minutes", [-30, 30])
def test_clocks_that_differ_miss_nothing(world: World, kim: Account, minutes: int) -> None:
    """Keycloak's clock is half an hour behind or ahead: places are by its clock; the difference can be seen."""
    world.logins.ahead = timedelta(minutes=minutes)
    for _ in range(3):
        happen(world, kim, LoginKind.FAILURE)
        assert read(world) is None
    assert known(world, kim).failures == 3
    [state] = world.read(schedule.all_jobs)
    assert state.state["clock_ahead_seconds"] == minutes * 60


def test_a_clock_that_is_put_back_misses_nothing(world: World, kim: Account) -> None:
    """Keycloak's clock was ten minutes ahead and is mended: what happens next has times of before."""
    world.logins.ahead = timedelta(minutes=10)
    happen(world, kim, LoginKind.FAILURE)
    read(world)
    world.logins.ahead = timedelta()
    happen(world, kim, LoginKind.FAILURE)
    read(world)
    assert known(world, kim).failures == 2
