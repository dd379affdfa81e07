"""Transactions: one commit or nothing, reading changes nothing, and trouble has a name (H1, H2)."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from sync.domain.accounts.account import Account
from sync.domain.errors import Failure, Misconfigured, Transient
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.accounts.rows import to_row
from sync.store.database import engine, schema
from sync.store.database.ids import new_id
from sync.store.database.sealing import Sealer
from sync.store.database.tables import account as account_table
from sync.store.database.tables import login_name
from sync.store.database.transactions import Database
from sync.store.provisioning import due
from tests.callers import granted
from tests.store.conftest import MakeAccount


@pytest.mark.supports("H1")
def test_an_exception_stores_nothing(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """Whatever was written before it is rolled back; the next transaction is fine."""
    account = make_account()

    def store_and_fail() -> None:
        with db.write() as tx:
            accounts.insert(tx, granted(account))
            due.mark_due(tx, account.id, Lane.BULK, now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store_and_fail()
    with db.read() as tx:
        assert accounts.get(tx, account.id) is None
    with db.write() as tx:
        accounts.insert(tx, granted(account))
    with db.read() as tx:
        assert accounts.get(tx, account.id) == account


def test_a_reading_transaction_cannot_write(db: Database, make_account: MakeAccount) -> None:
    """The database refuses, so that no reader grows into a writer; writing works afterwards."""
    with pytest.raises(Failure), db.read() as tx:
        accounts.insert(tx, granted(make_account()))
    with db.write() as tx:
        accounts.insert(tx, granted(make_account()))


@pytest.mark.supports("H1")
def test_a_reader_sees_one_moment(db: Database, make_account: MakeAccount) -> None:
    """What is committed during a read is not half in it, and a long read does not stop a writer."""
    account = make_account()
    with db.read() as tx:
        assert accounts.get(tx, account.id) is None
        with db.write() as writing:
            accounts.insert(writing, granted(account))
        assert accounts.get(tx, account.id) is None
    with db.read() as tx:
        assert accounts.get(tx, account.id) == account


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.supports("H2")
def test_a_locked_file_is_worth_another_try(
    db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, sealer: Sealer
) -> None:
    """Another program holds the lock for too long: Transient, and the database is named."""
    monkeypatch.setattr(engine, "LOCK_WAIT_SECONDS", 0.2)
    waiting = Database(database_url, sealer)
    with db.write(), pytest.raises(Transient, match="our database"), waiting.write():
        pass
    with waiting.write() as tx:
        assert tx.writing
    waiting.close()


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.supports("H2")
def test_a_lost_connection_is_worth_another_try(db: Database, make_account: MakeAccount) -> None:
    """The server ends the connection in the middle: Transient, nothing stored, and the next one works."""
    account = make_account()

    def store_and_lose_the_connection() -> None:
        with db.write() as tx:
            accounts.insert(tx, granted(account))
            mine = tx.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with db.write() as other:
                other.connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
            tx.connection.execute(text("SELECT 1"))

    with pytest.raises(Transient, match="our database"):
        store_and_lose_the_connection()
    with db.write() as tx:
        assert accounts.get(tx, account.id) is None


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.supports("H2")
def test_of_two_that_wait_for_each_other_one_may_try_again(db: Database, make_account: MakeAccount) -> None:
    """A deadlock is ended by the server; the loser is told to try again, the winner commits."""
    one, two = make_account(), make_account()
    with db.write() as tx:
        accounts.insert(tx, granted(one))
        accounts.insert(tx, granted(two))
    both_hold_one = threading.Barrier(2)
    ends: list[str] = []

    def lock(first: Account, second: Account) -> None:
        try:
            with db.write() as tx:
                accounts.lock_all(tx, [first.id])
                both_hold_one.wait(10)
                accounts.lock_all(tx, [second.id])
            ends.append("committed")
        except Transient:
            ends.append("try again")

    threads = [threading.Thread(target=lock, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(ends) == ["committed", "try again"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.supports("H2")
def test_a_full_disk_says_so(db: Database, make_account: MakeAccount) -> None:
    """No room: Transient with what to do, nothing stored, and it goes on when there is room."""

    def fill() -> None:
        with db.write() as tx:
            pages = tx.connection.execute(text("PRAGMA page_count")).scalar_one()
            tx.connection.execute(text(f"PRAGMA max_page_count = {pages}"))
            for _ in range(200):
                accounts.insert(tx, granted(make_account(given_name="x" * 1000)))

    with pytest.raises(Transient, match="disk space"):
        fill()
    with db.write() as tx:
        tx.connection.execute(text("PRAGMA max_page_count = 1000000"))
        accounts.insert(tx, granted(make_account()))
        assert tx.connection.execute(text("SELECT count(*) FROM account")).scalar_one() == 1


@pytest.mark.supports("J3")
def test_a_database_without_tables_names_the_command(database_url: str, sealer: Sealer) -> None:
    """A statement that meets no tables says what to run, like the check at start."""
    database = Database(database_url, sealer)
    with pytest.raises(Misconfigured, match="fsm-identity database upgrade"), database.read() as tx:
        accounts.get(tx, "x")
    database.close()


def test_a_row_of_nobody_is_refused(db: Database) -> None:
    """Foreign keys are checked on both databases; a mistake of ours is not dressed up as a passing trouble."""
    with pytest.raises(IntegrityError), db.write() as tx:
        tx.connection.execute(insert(login_name).values(key="x", account_id="nobody"))


def test_a_value_outside_its_list_is_refused(db: Database, make_account: MakeAccount) -> None:
    """The database checks enumerations itself."""
    with pytest.raises(IntegrityError), db.write() as tx:
        tx.connection.execute(insert(account_table).values(to_row(make_account()) | {"life": "zombie"}))


def test_a_time_without_a_zone_is_refused(db: Database, make_account: MakeAccount) -> None:
    """A naive time would mean something else on every machine."""
    with pytest.raises(StatementError, match="no time zone"), db.write() as tx:
        accounts.insert(tx, granted(make_account(created_at=datetime(2026, 1, 1))))  # noqa: DTZ001


def test_times_of_any_zone_compare_as_moments(db: Database, make_account: MakeAccount) -> None:
    """Stored from different zones, read back in UTC, and ordered by the moment they stand for."""
    east = datetime(2026, 1, 1, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    west = datetime(2025, 12, 31, 20, 0, 0, 1, tzinfo=timezone(timedelta(hours=-5)))
    with db.write() as tx:
        accounts.insert(tx, granted(make_account(username="west", created_at=west)))
        accounts.insert(tx, granted(make_account(username="east", created_at=east)))
    with db.read() as tx:
        rows = tx.connection.execute(
            select(account_table.c.username, account_table.c.created_at).order_by(account_table.c.created_at)
        ).all()
        later = tx.connection.scalars(select(account_table.c.username).where(account_table.c.created_at > east))
        assert list(later) == ["west"]
    assert [tuple(row) for row in rows] == [("east", east), ("west", west)]
    assert all(row.created_at.tzinfo is UTC for row in rows)


def test_sqlite_keeps_commits_through_a_power_cut(tmp_path: Path, sealer: Sealer) -> None:
    """Write-ahead log, synced at every commit: what was accepted is on disk before the answer
    (rule: refuse-at-the-door)."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    schema.upgrade(url)
    database = Database(url, sealer)
    with database.write() as tx:
        answers = [
            tx.connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    database.close()
    assert answers == ["wal", 2, 1, 10_000]
    assert sqlite3.connect(tmp_path / "a.db").execute("PRAGMA integrity_check").fetchone() == ("ok",)


@given(st.lists(st.datetimes(timezones=st.just(UTC), min_value=datetime(1990, 1, 1)), min_size=2, max_size=20))  # noqa: DTZ001
def test_ids_sort_by_the_time_they_were_made_for(moments: list[datetime]) -> None:
    """To the microsecond, also before and after a change of the millisecond, and they are version 7."""
    moments.sort()
    made = [new_id(moment) for moment in moments]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(each[14] == "7" and each[19] in "89ab" for each in made)


def test_an_id_needs_a_zone() -> None:
    """A naive time cannot be put in order."""
    with pytest.raises(ValueError, match="time zone"):
        new_id(datetime(2026, 1, 1))  # noqa: DTZ001
