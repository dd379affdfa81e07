"""Periodic jobs: due, claimed under a lease, finished. `jobs.schedule.run_jobs` decides what runs and when again.

A claim is a lease with a token, like that of an account: whoever finishes, extends or saves with a token that is
no longer the row's own writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import ColumnElement, Row, case, literal, null, or_, select, update

from sync.domain.work.lane import Lane
from sync.store.database.columns import UtcDateTime
from sync.store.database.tables import schedule
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert
from sync.store.work import lanes

ADOPTION: Final = "adoption"
"""The job that doors make due when there is an adoption to plan or to carry out."""


@dataclass(frozen=True, slots=True)
class JobClaim:
    """One run of a job, ours until `lease_until` if it is not extended. `attempts` counts the failures before it,
    `state` is what the run before left."""

    name: str
    token: str
    due_at: datetime
    lease_until: datetime
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


def claim(tx: Tx, names: Collection[str], now: datetime, lease: timedelta) -> JobClaim | None:
    """Take the job that is due the longest and that nobody runs, or nobody any more."""
    chosen = (
        select(schedule.c.name)
        .where(*_claimable(names, now), lanes.running(Lane.RECONCILE))
        .order_by(schedule.c.due_at, schedule.c.name)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    row = tx.connection.execute(
        update(schedule)
        .where(schedule.c.name.in_(select(chosen.c.name)))
        .values(
            lease_token=str(uuid4()),
            lease_until=now + lease,
            started_at=now,
            takeovers=schedule.c.takeovers + case((schedule.c.lease_token.is_not(None), 1), else_=0),
        )
        .returning(schedule)
    ).one_or_none()
    if row is None:
        return None
    return JobClaim(row.name, row.lease_token, row.due_at, row.lease_until, row.attempts, row.state)


def extend(tx: Tx, claim: JobClaim, until: datetime) -> bool:
    """Keep the claim until then. False: the lease was lost, somebody else may run the job."""
    return (
        tx.connection.execute(update(schedule).where(*_still_ours(claim)).values(lease_until=until)).rowcount == 1
    )


def save(tx: Tx, claim: JobClaim, state: Mapping[str, Any]) -> bool:
    """What the next run shall know, in the same commit as what it belongs to. False: the lease was lost; then
    nothing else of the transaction may be committed either."""
    return (
        tx.connection.execute(update(schedule).where(*_still_ours(claim)).values(state=dict(state))).rowcount == 1
    )


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
    changed = tx.connection.execute(
        update(schedule)
        .where(*_still_ours(claim))
        .values(
            due_at=case((asked, schedule.c.due_at), else_=literal(due_at, UtcDateTime())),
            lease_token=null(),
            lease_until=null(),
            finished_at=now,
            takeovers=0,
            attempts=attempts,
            error_kind=kind,
            error=text,
        )
    )
    return changed.rowcount == 1


def hasten(tx: Tx, name: str, now: datetime, between: timedelta) -> bool:
    """Something says that the job is wanted soon: now, but not less than `between` after its last start, however
    often that is said. False: there is no such job."""
    wanted = tx.connection.execute(select(schedule).where(schedule.c.name == name)).one_or_none()
    if wanted is None:
        return False
    at = now if wanted.started_at is None else max(now, wanted.started_at + between)
    running = wanted.lease_until is not None and wanted.lease_until > now
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
        or_(schedule.c.lease_until.is_(None), schedule.c.lease_until <= now),
    )


def _still_ours(claim: JobClaim) -> tuple[ColumnElement[bool], ...]:
    return (schedule.c.name == claim.name, schedule.c.lease_token == claim.token)


def _state(row: Row[Any]) -> JobState:
    return JobState(
        name=row.name,
        due_at=row.due_at,
        leased_until=row.lease_until,
        started_at=row.started_at,
        finished_at=row.finished_at,
        attempts=row.attempts,
        error=None if row.error_kind is None else (row.error_kind, row.error),
        state=row.state,
        takeovers=row.takeovers,
    )
