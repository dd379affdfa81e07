"""Which workers are there and what they do: each writes its row every few seconds (H3).

A worker that ends in good order takes its row away; one that was killed leaves it, and is "gone" after a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from sync.domain.work.lane import Lane
from sync.store.database.tables import worker as workers
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert

GONE_AFTER = timedelta(seconds=60)
"""Six heartbeats; longer than a database that is away for a moment, shorter than an operator's patience."""

FORGOTTEN_AFTER = timedelta(hours=1)
"""By then somebody has seen that it is gone; a machine that is new every day must not fill the list."""


@dataclass(frozen=True, slots=True)
class Worker:
    """`lanes` are the queues it serves. `doing` None: it waits. `trouble`: why it touches no account."""

    name: str
    host: str
    pid: int
    lanes: tuple[str, ...]
    started_at: datetime
    seen_at: datetime
    doing: str | None = None
    trouble: str | None = None

    def is_gone(self, now: datetime) -> bool:
        return now - self.seen_at > GONE_AFTER


def beat(tx: Tx, worker: Worker) -> None:
    """The worker is there. Its trouble is left as it is; those long gone are forgotten."""
    changing = {
        "host": worker.host,
        "pid": worker.pid,
        "lanes": worker.lanes,
        "started_at": worker.started_at,
        "seen_at": worker.seen_at,
        "doing": worker.doing,
    }
    tx.connection.execute(upsert(tx, workers, {"name": worker.name, **changing}, changes=changing))
    tx.connection.execute(delete(workers).where(workers.c.seen_at < worker.seen_at - FORGOTTEN_AFTER))


def note_trouble(tx: Tx, name: str, trouble: str | None) -> None:
    """Why the worker cannot work, or None: it can. One that has never been seen has no row to write it on."""
    changed = workers.c.trouble.is_not(None) if trouble is None else workers.c.trouble.is_distinct_from(trouble)
    tx.connection.execute(update(workers).where(workers.c.name == name, changed).values(trouble=trouble))


def is_in_trouble(tx: Tx, name: str) -> bool:
    noted = select(workers.c.name).where(workers.c.name == name, workers.c.trouble.is_not(None))
    return tx.connection.scalar(noted) is not None


def leave(tx: Tx, name: str, pid: int) -> None:
    """The worker ends in good order. Another process that has taken the name keeps it."""
    tx.connection.execute(delete(workers).where(workers.c.name == name, workers.c.pid == pid))


def lanes_in_trouble(tx: Tx, now: datetime) -> frozenset[Lane]:
    """The lanes of workers that live and touch no account."""
    lanes = {
        lane for each in seen(tx) if each.trouble is not None and not each.is_gone(now) for lane in each.lanes
    }
    return frozenset(lane for lane in Lane if lane.value in lanes)


def serves(tx: Tx, lane: Lane, now: datetime) -> bool:
    """Whether a worker of the lane gave a sign of life lately."""
    return any(lane.value in each.lanes and not each.is_gone(now) for each in seen(tx))


def seen(tx: Tx) -> tuple[Worker, ...]:
    """All that are remembered, by name; a few rows."""
    return tuple(
        Worker(
            name=row.name,
            host=row.host,
            pid=row.pid,
            lanes=row.lanes,
            started_at=row.started_at,
            seen_at=row.seen_at,
            doing=row.doing,
            trouble=row.trouble,
        )
        for row in tx.connection.execute(select(workers).order_by(workers.c.name))
    )
