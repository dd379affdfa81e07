"""Machines whose clocks differ by minutes work on one time, and somebody is told (H1, H5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.database.clock import MEASURED_EVERY, DatabaseClock
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from sync.store.operations import troubles
from sync.store.operations.skew import note_skew
from sync.store.provisioning import due
from sync.store.work import account_claims
from sync.store.work.lease_rows import Terms
from tests.callers import granted
from tests.store.conftest import MakeAccount

LEASE = timedelta(seconds=60)
CLOSE = timedelta(seconds=5)

on_postgres = pytest.mark.parametrize(
    "database_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@dataclass
class Machine:
    """Its own clock is off by `off`; its steady clock shows `seconds` since its start."""

    off: timedelta = timedelta()
    seconds: float = 0.0

    def clock(self, db: Database) -> DatabaseClock:
        return DatabaseClock(db, steady=lambda: self.seconds, wall=lambda: datetime.now(UTC) + self.off)


@on_postgres
@pytest.mark.supports("H1", "H5")
def test_two_machines_minutes_apart_do_not_take_from_each_other(db: Database, make_account: MakeAccount) -> None:
    """What one holds is not due for the other, and what one makes due the other sees at once."""
    behind, ahead = (Machine(timedelta(minutes=off)).clock(db) for off in (-7, 7))
    account = make_account()
    with db.write() as tx:
        accounts.insert(tx, granted(account))
        due.mark_due(tx, account.id, Lane.BULK, ahead.now())
    with db.write() as tx:
        assert len(account_claims.claim(tx, Lane.BULK, Terms(behind.now() + CLOSE), 1)) == 1
    with db.write() as tx:
        assert account_claims.claim(tx, Lane.BULK, Terms(ahead.now()), 1) == ()
    assert abs(ahead.now() - behind.now()) < CLOSE


@on_postgres
@pytest.mark.supports("H5")
def test_time_goes_on_between_two_answers_and_is_asked_again(db: Database, sealer: Sealer) -> None:
    """By the steady clock: a step of the machine's own clock is not seen, and a database that is away holds
    nothing up."""
    machine = Machine(timedelta(minutes=3))
    clock = machine.clock(db)
    began = clock.now()
    machine.off = timedelta(hours=-5)
    machine.seconds += MEASURED_EVERY / 2
    assert clock.now() == began + timedelta(seconds=MEASURED_EVERY / 2)
    machine.seconds += MEASURED_EVERY
    assert abs(clock.now() - datetime.now(UTC)) < CLOSE
    away = machine.clock(Database("postgresql://nobody@127.0.0.1:1/none", sealer))
    assert abs(away.now() - (datetime.now(UTC) + machine.off)) < CLOSE


@on_postgres
@pytest.mark.supports("H3", "H5")
def test_a_wrong_clock_is_shown_until_it_is_right(db: Database) -> None:
    """Which machine, how far, and what to do; the time that counts is the database's."""
    with db.write() as tx:
        told = note_skew(tx, "host-7", datetime.now(UTC) - timedelta(minutes=4))
        assert abs(told - datetime.now(UTC)) < CLOSE
        [trouble] = troubles.noted(tx, told)
        assert "the clock of host-7 is 240 s behind our database's" in trouble.what
        assert "time server" in trouble.remedy
        note_skew(tx, "host-8", datetime.now(UTC))
        note_skew(tx, "host-7", datetime.now(UTC) + timedelta(seconds=1))
        assert troubles.noted(tx, told) == ()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.supports("H5")
def test_with_sqlite_it_is_the_machines_own_time(db: Database) -> None:
    """One machine, one clock."""
    machine = Machine(timedelta(minutes=5))
    clock = machine.clock(db)
    assert abs(clock.now() - (datetime.now(UTC) + machine.off)) < CLOSE
    machine.off = timedelta()
    assert abs(clock.now() - datetime.now(UTC)) < CLOSE
    own = datetime(2026, 3, 2, tzinfo=UTC)
    with db.write() as tx:
        assert note_skew(tx, "host-7", own) == own
