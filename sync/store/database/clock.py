"""The time as our database tells it: due times and leases of all machines are compared on one clock (H1, H5).

A machine whose own clock is minutes off would take over work that somebody is at, or let what is due wait. So the
database is asked now and then, and between two answers the time goes on by this machine's steady clock, which
nobody sets. SQLite serves one machine, and its clock is that machine's. See decision page "One clock".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import text

from sync.domain.errors import Failure
from sync.store.database.transactions import Database, Tx

MEASURED_EVERY = 60.0
"""Seconds. Steady clocks drift by milliseconds in this time."""

TRIED_EVERY = 5.0
"""Seconds until a database that did not answer is asked for the time again."""

TOLERATED = timedelta(seconds=10)
"""More than this is a machine that follows no time server, and somebody has to know."""

REMEDY = (
    "let this machine and the database's follow a time server (timedatectl set-ntp true); nothing is lost or "
    "doubled meanwhile, times come from the database"
)

log = structlog.get_logger()


def steady() -> float:
    """Seconds that pass, those in a suspended machine too; nobody sets this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def wall() -> datetime:
    return datetime.now(UTC)


def database_time(tx: Tx) -> datetime | None:
    """Now, by the database server's clock; None for SQLite, which has none of its own."""
    if tx.dialect != "postgresql":
        return None
    told: datetime = tx.connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return told.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Measured:
    """`time` was true when the steady clock showed `at`; it is to be asked again at `until`."""

    time: datetime
    at: float
    until: float


class DatabaseClock:
    """`sync.ports.signals.Clock`. One for a process or for its children too; connects at the first question.

    While the database cannot be asked, the last answer goes on counting; without one it is this machine's own
    time, and whatever it is for fails anyway.
    """

    def __init__(
        self, db: Database, *, steady: Callable[[], float] = steady, wall: Callable[[], datetime] = wall
    ) -> None:
        self._db = db
        self._steady = steady
        self._wall = wall
        self._measured: _Measured | None = None
        self._alone = False

    def now(self) -> datetime:
        if self._alone:
            return self._wall()
        measured = self._measured
        if measured is None or self._steady() >= measured.until:
            measured = self._measure(measured)
        if measured is None:
            return self._wall()
        return measured.time + timedelta(seconds=self._steady() - measured.at)

    def _measure(self, before: _Measured | None) -> _Measured | None:
        try:
            with self._db.read() as tx:
                asked = self._steady()
                told = database_time(tx)
                answered = self._steady()
        except Failure:
            at = self._steady()
            since = self._wall() if before is None else before.time + timedelta(seconds=at - before.at)
            self._measured = _Measured(since, at, at + TRIED_EVERY)
            return self._measured
        if told is None:
            self._alone = True
            return None
        middle = asked + (answered - asked) / 2
        self._measured = _Measured(told, middle, answered + MEASURED_EVERY)
        self._tell(told + timedelta(seconds=answered - middle) - self._wall())
        return self._measured

    def _tell(self, behind: timedelta) -> None:
        if abs(behind) > TOLERATED:
            log.warning("this machine's clock is wrong", reason=skewed(behind), remedy=REMEDY)


def skewed(behind: timedelta) -> str:
    """In words: how far a clock is from the database's, which is ahead by `behind`."""
    seconds = round(abs(behind.total_seconds()))
    return f"{seconds} s {'behind' if behind > timedelta() else 'ahead of'} our database's"
