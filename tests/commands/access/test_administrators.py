"""The last administrator stays, and those who leave at once never wait for each other's locks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

import pytest
from cryptography.fernet import Fernet

from mappings import load
from sync.commands.accounts.change import change, change_account
from sync.commands.deactivation.deactivate import deactivate, deactivate_account
from sync.desk import Desk
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import Refused
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database, Tx
from sync.store.provisioning import due
from tests.callers import BY, granted
from tests.fakes.field_service import FakeFieldService
from tests.fakes.signals import FakeClock, FakeWake
from tests.people import an_account

pytestmark = pytest.mark.supports("I4")

POLICY = load()
HERE = min(POLICY.branches)
NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    schema.upgrade(database_url)
    database = Database(database_url, Sealer([Fernet.generate_key().decode()]))
    yield database
    database.close()


def demote(tx: Tx, account: Account) -> object:
    return change(tx, POLICY, account.id, AccountChange(profile="read-only", data_access=None), BY, NOW)


def leave(tx: Tx, account: Account) -> object:
    return deactivate(tx, POLICY, account.id, GatePolicy.FORCE, BY, NOW)


def at_once(commands: Sequence[Callable[[], object]]) -> list[object]:
    """How each of them ended: "done", or with which error."""
    ready = threading.Barrier(len(commands))
    ends: list[object] = []

    def run(command: Callable[[], object]) -> None:
        ready.wait(10)
        try:
            command()
            ends.append("done")
        except Exception as error:
            ends.append(error)

    threads = [threading.Thread(target=run, args=[each]) for each in commands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return ends


def refuse_the_last(ends: Sequence[object]) -> None:
    """Nothing else ends otherwise than done: a deadlock would be an error of its own."""
    [refused] = [each for each in ends if each != "done"]
    assert isinstance(refused, Refused), refused
    assert "is the last active account that can administer" in str(refused)


@pytest.mark.parametrize("go", [demote, leave])
def test_of_four_who_leave_at_once_one_stays_and_none_waits_for_ever(
    db: Database, go: Callable[[Tx, Account], object]
) -> None:
    """PostgreSQL would end a circle of locks with an error, which is neither done nor refused."""
    administrators = [an_account(f"admin{n}@example.com", profile="administrator", branch=HERE) for n in range(4)]
    with db.write() as tx:
        for each in administrators:
            accounts.insert(tx, granted(each))
            due.mark_due(tx, each.id, Lane.INTERACTIVE, NOW)

    def gone(account: Account) -> None:
        with db.write() as tx:
            go(tx, account)

    ends = at_once([partial(gone, each) for each in administrators])
    assert ends.count("done") == 3, ends
    refuse_the_last(ends)
    with db.read() as tx:
        assert len(accounts.active_of(tx, {"administrator"})) == 1


def demote_at_the_door(desk: Desk, account: Account) -> object:
    return change_account(desk, account.id, AccountChange(profile="read-only", data_access=None), BY)


def leave_at_the_door(desk: Desk, account: Account) -> object:
    return deactivate_account(desk, account.id, GatePolicy.REFUSE, BY)


ROUNDS = 20
"""A circle of locks takes two who are at it in the same moment: often enough that it would come."""


@pytest.mark.parametrize(
    "doors",
    [
        pytest.param((demote_at_the_door, demote_at_the_door), id="two demotions"),
        pytest.param((demote_at_the_door, leave_at_the_door), id="a demotion and a deactivation"),
        pytest.param((leave_at_the_door, leave_at_the_door), id="two deactivations"),
    ],
)
def test_of_two_who_are_demoted_at_once_one_is_and_the_other_is_told_why_not(
    db: Database, doors: tuple[Callable[[Desk, Account], object], ...]
) -> None:
    """Time and again, each as its own person at a door: never an error of the database, never none left."""
    desk = Desk(
        db=db,
        policy=POLICY,
        field_service=FakeFieldService(POLICY.work_orders),
        wake=FakeWake(),
        clock=FakeClock(),
    )
    for number in range(ROUNDS):
        with db.write() as tx:
            new = an_account(f"admin{number}@example.com", profile="administrator", branch=HERE)
            accounts.insert(tx, granted(new))
            due.mark_due(tx, new.id, Lane.INTERACTIVE, NOW)
            there = sorted(accounts.active_of(tx, {"administrator"}))
            administrators = [accounts.peek(tx, each) for each in there]
        if number == 0:
            continue
        ends = at_once([partial(go, desk, each) for go, each in zip(doors, administrators, strict=True)])
        assert ends.count("done") == 1, ends
        refuse_the_last(ends)
