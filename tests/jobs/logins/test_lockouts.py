"""Whom Keycloak's lockout keeps out: seen without being asked for, with its end, and gone when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.logins.activity import LoginActivity, LoginKind
from sync.domain.provisioning.observed import LockState
from sync.jobs.logins import read_logins
from sync.jobs.schedule import run_jobs
from sync.jobs.work.job import Job
from sync.store import logins
from sync.store.accounts.query import AccountQuery
from sync.store.provisioning import work_state
from sync.views.accounts.account import account_view
from sync.views.accounts.listing import list_accounts
from tests.world import World

pytestmark = pytest.mark.supports("A8", "C5")

JOB = {"login-events": Job(read_logins, timedelta(seconds=30))}
WAIT = timedelta(minutes=10)


def read(world: World) -> None:
    """Half a minute later the events are read, and the interactive lane is worked on."""
    world.pass_time(35)
    run_jobs.run_due_job(world.systems, JOB)
    world.work()


def status(world: World, account: Account) -> str:
    return str(world.read(lambda tx: account_view(tx, Scope.all(), account.id, world.clock.now())).status)


def locked(world: World) -> list[str]:
    """Usernames that `account list --locked` shows."""
    query = AccountQuery(locked_at=world.clock.now())
    return [row.account.username for row in world.read(lambda tx: list_accounts(tx, Scope.all(), query)).items]


def lock_out(world: World, account: Account) -> datetime:
    """Five wrong passwords. Returns when it is over."""
    until = world.clock.now() + WAIT
    world.user(account).lock = LockState(temporary=True, failures=5, until=until)
    world.logins.happen(LoginKind.LOCKED_FOR_NOW, world.user(account).id)
    return until


@pytest.fixture
def kim(world: World) -> Account:
    account = world.join("kim.lind")
    world.work()
    world.user(account).required_actions.clear()
    return account


def test_a_lockout_is_shown_with_its_end_and_ends_by_itself(world: World, kim: Account) -> None:
    """Nobody has asked for a look; at its end nobody has to."""
    read(world)
    assert "locked" not in status(world, kim)
    until = lock_out(world, kim)
    read(world)
    assert status(world, kim) == f"locked (until {until:%Y-%m-%d %H:%M} UTC, after 5 failures)"
    assert locked(world) == [kim.username]
    world.clock.time = until
    assert "locked" not in status(world, kim)
    assert locked(world) == []
    world.user(kim).lock = LockState()
    world.work()
    seen = world.read(lambda tx: account_view(tx, Scope.all(), kim.id, world.clock.now())).observed
    assert seen is not None
    assert seen.lock == LockState()


def test_a_lockout_for_good_says_what_was_wrong(world: World, kim: Account) -> None:
    """Codes of the second factor, which no reset of the password mends."""
    user = world.user(kim)
    user.enabled, user.lock = False, LockState(permanent=True, second_factor=True, failures=0)
    world.logins.happen(LoginKind.LOCKED_FOR_GOOD, user.id)
    read(world)
    assert status(world, kim) == "locked (for good, second factor, until an administrator unlocks it)"
    assert locked(world) == [kim.username]
    assert not user.enabled


def test_one_lockout_is_looked_at_once(world: World, kim: Account) -> None:
    """Events are read again for two minutes."""
    lock_out(world, kim)
    read(world)
    asked = []
    for _ in range(4):
        asked.append(world.accounts.asked)
        read(world)
    assert asked == [asked[0]] * 4
    state = world.read(lambda tx: work_state.of_account(tx, kim.id))
    assert state is not None
    assert state.due_at == world.user(kim).lock.until


@pytest.mark.supports("A9", "D8")
def test_what_an_administrator_does_as_somebody_is_not_the_persons(world: World, kim: Account) -> None:
    """Neither the login that follows in that session nor the refreshes; the person's own login is."""
    user = world.user(kim).id
    world.logins.happen(LoginKind.IMPERSONATION, user, ago=9, session="theirs")
    world.logins.happen(LoginKind.LOGIN, user, ago=8, session="theirs")
    read(world)
    world.logins.happen(LoginKind.REFRESH, user, ago=1, session="theirs")
    read(world)
    assert world.read(lambda tx: logins.of_user(tx, user)) == LoginActivity()
    own = world.logins.happen(LoginKind.LOGIN, user, session="own")
    read(world)
    assert world.read(lambda tx: logins.of_user(tx, user)).last_login_at == own.at
