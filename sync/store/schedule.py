"""Periodic jobs: due, claimed under a lease, finished. `jobs.schedule.run_jobs` decides what runs and when again.

A claim is a lease like that of an account (`work.lease_rows`): whoever finishes or saves with a token that is no
longer the row's own writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, case, literal, select, update

from sync.domain.work.claimed import ClaimedJob
from sync.domain.work.lane import Lane
from sync.store.database.columns import UtcDateTime
from sync.store.database.tables import schedule
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert
from sync.store.work import lanes, lease_rows
from sync.store.work.lease_rows import ENDED, Lease, Terms, free, new_claim

ADOPTION: Final = "adoption"
"""The job that doors make due when there is an adoption to plan or to carry out."""

DATES: Final = "dates"
"""The job that lets first and last days take effect; whoever changes one makes it due."""

REALM: Final = "realm"
"""The job that watches over the realm; whoever has mended the realm makes it due."""


@dataclass(frozen=True, slots=True)
class JobClaim:
    """One run of a job, ours while the lease is kept. `attempts` counts the failures before it, `state` is what
    the run before left."""

    name: str
    lease: Lease[ClaimedJob] = field(compare=False)
    due_at: datetime
    attempts: int
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as people see it. `error` is (kind, text) of the last run if it failed; `leased_until` None: it does
    not run now. `started_at` None: it never ran. `takeovers` are workers in a row that never said how it ended."""

    name: str
    due_at: datetime
    leased_until: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int
    error: tuple[str, str] | None
    state: Mapping[str, Any]
    takeovers: int = 0


def register(tx: Tx, names: Collection[str], now: datetime) -> None:
    """A job that was never seen before is due at once."""
    known = set(tx.connection.scalars(select(schedule.c.name).where(schedule.c.name.in_(sorted(names)))))
    for name in sorted(set(names) - known):
        row = {"name": name, "due_at": now, "attempts": 0, "state": {}}
        tx.connection.execute(upsert(tx, schedule, row, changes={"name": name}))


def any_due(tx: Tx, names: Collection[str], now: datetime) -> bool:
    return tx.connection.scalar(select(schedule.c.name).where(*_claimable(names, now)).limit(1)) is not None


def claim(tx: Tx, names: Collection[str], terms: Terms, lane: Lane | None = Lane.RECONCILE) -> JobClaim | None:
    """Take the job that is due the longest and that nobody runs, or nobody any more. None while the lane is
    paused; those of no lane no pause stops."""
    unpaused = () if lane is None else (lanes.running(lane),)
    chosen = (
        select(schedule.c.name)
        .where(*_claimable(names, terms.now), *unpaused)
        .order_by(schedule.c.due_at, schedule.c.name)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    row = tx.connection.execute(
        update(schedule)
        .where(schedule.c.name.in_(select(chosen.c.name)))
        .values(**new_claim(terms), started_at=terms.now)
        .returning(schedule)
    ).one_or_none()
    if row is None:
        return None
    lease = Lease[ClaimedJob](schedule.c.name, row.name, row.lease_token, row.lease_until)
    return JobClaim(row.name, lease, row.due_at, row.attempts, row.state)


def save(tx: Tx, claim: JobClaim, state: Mapping[str, Any]) -> ClaimedJob | None:
    """What the next run shall know, in the same commit as what it belongs to. None: the lease was lost; then
    nothing else of the transaction may be committed either."""
    return lease_rows.write(tx, claim.lease, {"state": dict(state)})


def finish(
    tx: Tx,
    claim: JobClaim,
    now: datetime,
    *,
    due_at: datetime,
    attempts: int = 0,
    error: tuple[str, str] | None = None,
) -> bool:
    """Give the claim back and say when the job runs next; a person who asked for a run meanwhile gets it.
    `attempts` are the failures in a row by now.

    False: the lease was lost; nothing was written.
    """
    kind, text = error or (None, None)
    asked = schedule.c.due_at > literal(claim.due_at, UtcDateTime())
    ended = {
        "due_at": case((asked, schedule.c.due_at), else_=literal(due_at, UtcDateTime())),
        "finished_at": now,
        "attempts": attempts,
        "error_kind": kind,
        "error": text,
    }
    return lease_rows.write(tx, claim.lease, ENDED | ended) is not None


def hasten(tx: Tx, name: str, now: datetime, between: timedelta) -> bool:
    """Something says that the job is wanted soon: now, but not less than `between` after its last start, however
    often that is said. False: there is no such job."""
    wanted = tx.connection.execute(select(schedule).where(schedule.c.name == name)).one_or_none()
    if wanted is None:
        return False
    at = now if wanted.started_at is None else max(now, wanted.started_at + between)
    running = wanted.lease_token is not None
    due_at = at if running else min(at, wanted.due_at)
    return (
        tx.connection.execute(update(schedule).where(schedule.c.name == name).values(due_at=due_at)).rowcount == 1
    )


def all_jobs(tx: Tx) -> tuple[JobState, ...]:
    """In the order of their names."""
    return tuple(_state(row) for row in tx.connection.execute(select(schedule).order_by(schedule.c.name)))


def _claimable(names: Collection[str], now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        schedule.c.name.in_(sorted(names)),
        schedule.c.due_at <= now,
        free(schedule, now),
    )


def _state(row: Row[Any]) -> JobState:
    return JobState(
        name=row.name,
        due_at=row.due_at,
        leased_until=row.lease_until if row.lease_token else None,
        started_at=row.started_at,
        finished_at=row.finished_at,
        attempts=row.attempts,
        error=None if row.error_kind is None else (row.error_kind, row.error),
        state=row.state,
        takeovers=row.takeovers,
    )
