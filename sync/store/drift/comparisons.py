"""Comparisons as rows: one of a kind at a time, how far it is, what came of it (H4)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, select, update
from sqlalchemy.exc import IntegrityError

from sync.domain.access.granted import Granted
from sync.domain.errors import Transient
from sync.domain.work.claimed import ClaimedJob
from sync.store.database.ids import new_id
from sync.store.database.tables import ComparisonKind, ComparisonState
from sync.store.database.tables import comparison as comparisons
from sync.store.database.transactions import Tx

SCHEDULE: Final = "schedule"
"""Who asked for a comparison that nobody asked for."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a comparison is. `accounts` are those with a user in Keycloak, `users` and `memberships` what was
    listed, `looked_at` the accounts that were looked at one by one, `left_out` those that differ but are being
    changed or come next time, `differing` the accounts with drift, `repairs` those handed to the workers."""

    accounts: int = 0
    users: int = 0
    memberships: int = 0
    looked_at: int = 0
    left_out: int = 0
    differing: int = 0
    foreign_users: int = 0
    repairs: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """`by`: who asked for it, or the schedule. One that is asked for began at no time yet: `started_at` is when it
    was asked for."""

    id: str
    kind: ComparisonKind
    state: ComparisonState
    by: str
    started_at: datetime
    seen_at: datetime
    finished_at: datetime | None
    counts: Counts
    error_kind: str | None = None
    error: str | None = None


def ask(tx: Tx, granted: Granted, kind: ComparisonKind, now: datetime) -> Comparison:
    """One that a worker shall begin; the one that is asked for already, if there is one."""
    waiting = _asked(tx, kind)
    if waiting is not None:
        return waiting
    row = _row(kind, "asked", granted.by.name, now)
    try:
        with tx.connection.begin_nested():
            tx.connection.execute(comparisons.insert().values(row))
    except IntegrityError:
        raise Transient(f"somebody asks for a {kind} at this very moment") from None
    return get(tx, str(row["id"]))


def begin(tx: Tx, _claimed: ClaimedJob, kind: ComparisonKind, now: datetime) -> Comparison:
    """Begin the one that is asked for, or one that the schedule wants. Whoever holds the job is the only one at
    it: one that still runs was interrupted, and this one starts anew, for a listing that was left in the middle is
    worth nothing later."""
    running = (comparisons.c.kind == kind, comparisons.c.state == "running")
    tx.connection.execute(update(comparisons).where(*running).values(state="interrupted", finished_at=now))
    waiting = _asked(tx, kind)
    if waiting is not None:
        _set(tx, waiting.id, {"state": "running", "started_at": now, "seen_at": now})
        return get(tx, waiting.id)
    row = _row(kind, "running", SCHEDULE, now)
    tx.connection.execute(comparisons.insert().values(row))
    return get(tx, str(row["id"]))


def progress(tx: Tx, _claimed: ClaimedJob, comparison_id: str, counts: Counts, now: datetime) -> None:
    _set(tx, comparison_id, {"seen_at": now, **_values(counts)})


def finish(tx: Tx, claimed: ClaimedJob, comparison_id: str, counts: Counts, now: datetime) -> None:
    progress(tx, claimed, comparison_id, counts, now)
    _set(tx, comparison_id, {"state": "done", "finished_at": now})


def fail(tx: Tx, _claimed: ClaimedJob, comparison_id: str, kind: str, error: str, now: datetime) -> None:
    _set(tx, comparison_id, {"state": "failed", "finished_at": now, "error_kind": kind, "error": error})


def get(tx: Tx, comparison_id: str) -> Comparison:
    """They are never deleted."""
    return _comparison(
        tx.connection.execute(select(comparisons).where(comparisons.c.id == comparison_id)).mappings().one()
    )


def latest(tx: Tx, kind: ComparisonKind) -> Comparison | None:
    """The one that began last."""
    row = (
        tx.connection.execute(
            select(comparisons)
            .where(comparisons.c.kind == kind)
            .order_by(comparisons.c.started_at.desc(), comparisons.c.id.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _comparison(row)


def _asked(tx: Tx, kind: ComparisonKind) -> Comparison | None:
    row = (
        tx.connection.execute(
            tx.locking(select(comparisons).where(comparisons.c.kind == kind, comparisons.c.state == "asked"))
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _comparison(row)


def _row(kind: ComparisonKind, state: ComparisonState, by: str, now: datetime) -> dict[str, object]:
    return {
        "id": new_id(now),
        "kind": kind,
        "state": state,
        "by": by,
        "started_at": now,
        "seen_at": now,
        **_values(Counts()),
    }


def _set(tx: Tx, comparison_id: str, values: dict[str, object]) -> None:
    tx.connection.execute(update(comparisons).where(comparisons.c.id == comparison_id).values(values))


def _values(counts: Counts) -> dict[str, int]:
    return {each.name: getattr(counts, each.name) for each in fields(Counts)}


def _comparison(row: RowMapping) -> Comparison:
    return Comparison(
        id=row["id"],
        kind=row["kind"],
        state=row["state"],
        by=row["by"],
        started_at=row["started_at"],
        seen_at=row["seen_at"],
        finished_at=row["finished_at"],
        counts=Counts(**{each.name: row[each.name] for each in fields(Counts)}),
        error_kind=row["error_kind"],
        error=row["error"],
    )
