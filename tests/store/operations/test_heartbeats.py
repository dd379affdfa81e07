"""Heartbeats: who is there, who is gone, and who is forgotten (H3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sync.store.database.transactions import Database
from sync.store.operations import heartbeats
from sync.store.operations.heartbeats import Worker

pytestmark = pytest.mark.supports("H3")


@pytest.fixture
def worker(now: datetime) -> Worker:
    """A worker of the bulk lane that waits."""
    return Worker("bulk@north", "north", 4711, ("bulk", "mail"), now, now)


def seen(db: Database) -> tuple[Worker, ...]:
    with db.read() as tx:
        return heartbeats.seen(tx)


def beat(db: Database, worker: Worker) -> None:
    with db.write() as tx:
        heartbeats.beat(tx, worker)


def test_a_heartbeat_says_what_a_worker_does_now(db: Database, worker: Worker, now: datetime) -> None:
    """One row a worker, as it was last seen."""
    beat(db, worker)
    later = replace(worker, seen_at=now + timedelta(seconds=10), doing="provision bulk")
    beat(db, later)
    assert seen(db) == (later,)


def test_a_silent_worker_is_gone_and_later_forgotten(db: Database, worker: Worker, now: datetime) -> None:
    """Gone after a minute; the next worker that is seen after an hour clears it away."""
    beat(db, worker)
    assert not worker.is_gone(now + timedelta(seconds=60))
    assert worker.is_gone(now + timedelta(seconds=61))
    other = replace(worker, name="bulk@south", seen_at=now + timedelta(minutes=59))
    beat(db, other)
    assert len(seen(db)) == 2
    beat(db, replace(other, seen_at=now + timedelta(minutes=61)))
    assert [each.name for each in seen(db)] == ["bulk@south"]


def test_a_worker_that_ends_in_good_order_is_not_missed(db: Database, worker: Worker) -> None:
    """Its row goes with it, unless another process has the name by now."""
    beat(db, worker)
    with db.write() as tx:
        heartbeats.leave(tx, worker.name, pid=1)
    assert seen(db) == (worker,)
    with db.write() as tx:
        heartbeats.leave(tx, worker.name, worker.pid)
    assert seen(db) == ()


def test_trouble_stays_until_the_worker_can_work(db: Database, worker: Worker, now: datetime) -> None:
    """Heartbeats go on while a worker cannot work, and do not hide why."""
    beat(db, worker)
    with db.write() as tx:
        heartbeats.note_trouble(tx, worker.name, "Keycloak refuses the secret")
    beat(db, replace(worker, seen_at=now + timedelta(seconds=10)))
    assert seen(db)[0].trouble == "Keycloak refuses the secret"
    with db.write() as tx:
        heartbeats.note_trouble(tx, worker.name, None)
    assert seen(db)[0].trouble is None
