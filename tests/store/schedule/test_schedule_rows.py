"""Periodic jobs in the database: one worker runs one, a crash loses nothing, the last error is kept."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from sync.store import schedule
from sync.store.database import locks
from sync.store.database.transactions import Database
from sync.store.schedule import JobClaim
from sync.store.work import lease_rows
from sync.store.work.lease_rows import Terms

pytestmark = pytest.mark.supports("H1", "H4")

NAMES = ("daily", "hourly")
LEASE = timedelta(seconds=60)


def claim(db: Database, now: datetime) -> JobClaim | None:
    with db.write() as tx:
        schedule.register(tx, NAMES, now)
        return schedule.claim(tx, NAMES, Terms(now))


def claimed(db: Database, now: datetime) -> JobClaim:
    found = claim(db, now)
    assert found is not None
    return found


def test_a_new_job_is_due_at_once_and_runs_once(db: Database, now: datetime) -> None:
    """Two workers get two jobs, a third one none; registering again makes nothing due."""
    first, second = claimed(db, now), claimed(db, now)
    assert {first.name, second.name} == set(NAMES)
    assert claim(db, now) is None
    with db.read() as tx:
        assert not schedule.any_due(tx, NAMES, now)
    with db.write() as tx:
        lease_rows.take_over(tx, now + LEASE, timedelta())
        assert schedule.any_due(tx, NAMES, now + LEASE)


def test_a_crashed_worker_is_taken_over_and_writes_nothing_late(db: Database, now: datetime) -> None:
    """After the lease another worker goes on from the saved state; the first one's late words do not count."""
    lost = claimed(db, now)
    with db.write() as tx:
        assert schedule.save(tx, lost, {"position": 7})
    later = now + LEASE
    with db.write() as tx:
        lease_rows.take_over(tx, later, timedelta())
    taken = {each.name: each for each in (claimed(db, later), claimed(db, later))}[lost.name]
    assert taken.state == {"position": 7}
    with db.write() as tx:
        assert not lease_rows.extend(tx, lost.lease, later + LEASE)
        assert not schedule.save(tx, lost, {"position": 3})
        assert not schedule.finish(tx, lost, later, due_at=later)
        assert lease_rows.extend(tx, taken.lease, later + LEASE)
    with db.read() as tx:
        assert {each.name: each.state for each in schedule.all_jobs(tx)}[lost.name] == {"position": 7}


def test_the_last_error_stays_until_a_run_succeeds(db: Database, now: datetime) -> None:
    """An operator sees what is wrong, how often in a row, and when the job tries again."""
    for failures in (1, 2):
        run = claimed(db, now)
        assert run.name == "daily"
        with db.write() as tx:
            error = "transient", "Keycloak is away"
            assert schedule.finish(tx, run, now, due_at=now - LEASE, attempts=failures, error=error)
        with db.read() as tx:
            daily = schedule.all_jobs(tx)[0]
        assert (daily.error, daily.attempts) == (("transient", "Keycloak is away"), failures)
        assert (daily.started_at, daily.finished_at, daily.leased_until) == (now, now, None)
    run = claimed(db, now)
    with db.write() as tx:
        schedule.finish(tx, run, now, due_at=now + LEASE)
    with db.read() as tx:
        daily = schedule.all_jobs(tx)[0]
    assert (daily.error, daily.attempts, daily.due_at) == (None, 0, now + LEASE)


def test_who_asks_for_a_run_during_a_run_gets_another_one(db: Database, now: datetime) -> None:
    """What the person has just changed may be behind what the running job has already looked at."""
    run = claimed(db, now)
    asked = now + timedelta(seconds=5)
    with db.write() as tx:
        assert schedule.hasten(tx, run.name, asked, timedelta(0))
        assert not schedule.hasten(tx, "nonsense", asked, timedelta(0))
        schedule.finish(tx, run, asked, due_at=now + timedelta(days=1))
    with db.read() as tx:
        assert {each.name: each.due_at for each in schedule.all_jobs(tx)}[run.name] == asked


def test_many_workers_share_the_jobs(db: Database, now: datetime) -> None:
    """However many claim at once, each job has one worker."""
    start = threading.Barrier(4)
    got: list[JobClaim | None] = []

    def work() -> None:
        start.wait()
        got.append(claim(db, now))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.name for each in got if each is not None) == sorted(NAMES)


def test_one_worker_sweeps_at_a_time(db: Database) -> None:
    """The second one does not wait for the first: there is nothing left to do for it."""
    with db.read() as tx, pytest.raises(ValueError, match="writes"):
        locks.alone(tx, locks.SWEEP)
    with db.write() as tx:
        assert locks.alone(tx, locks.SWEEP)
        if tx.dialect == "postgresql":
            with db.write() as other:
                assert not locks.alone(other, locks.SWEEP)
    with db.write() as tx:
        assert locks.alone(tx, locks.SWEEP)
