"""The last administrator stays, and those who leave at once never wait for each other's locks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet

from mappings import load
from sync.commands.accounts.change import change
from sync.commands.deactivation.deactivate import deactivate
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
from tests.people import an_account

pytestmark = pytest.mark.req("I4")

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
    ready = threading.Barrier(len(administrators))
    ends: list[object] = []

    def run(account: Account) -> None:
        ready.wait(10)
        try:
            with db.write() as tx:
                go(tx, account)
            ends.append("done")
        except Exception as error:
            ends.append(error)

    threads = [threading.Thread(target=run, args=[each]) for each in administrators]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert ends.count("done") == 3, ends
    [refused] = [each for each in ends if each != "done"]
    assert isinstance(refused, Refused), refused
    assert "is the last active account that can administer" in str(refused)
    with db.read() as tx:
        assert len(accounts.active_of(tx, {"administrator"})) == 1
