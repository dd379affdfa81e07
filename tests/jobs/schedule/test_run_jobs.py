"""Periodic jobs as workers run them: again after a while, sooner after a failure, by one worker at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.errors import Failure, Misconfigured, NeedsPerson, Transient
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.jobs.schedule import sweep as sweeping
from sync.jobs.schedule.run_jobs import next_run, run_due_job
from sync.jobs.systems import Systems
from sync.jobs.work.job import Job, KeepLease
from sync.store import schedule
from sync.store.schedule import JobState
from tests.world import World

pytestmark = pytest.mark.supports("H1", "H4")

PERIOD = timedelta(minutes=5)


def job(run: Callable[[Systems, KeepLease], None]) -> Mapping[str, Job]:
    return {"counting": Job(run, PERIOD)}


def nothing(_site: Systems, _keep: KeepLease) -> None:
    """A job with nothing to do."""


def failing(error: Exception) -> Mapping[str, Job]:
    def run(_site: Systems, _keep: KeepLease) -> None:
        raise error

    return job(run)


def state(world: World) -> JobState:
    [found] = world.read(schedule.all_jobs)
    return found


def test_a_job_runs_and_comes_again_after_its_period(world: World) -> None:
    """Not before, not twice."""
    ran = []
    registry = job(lambda _site, _keep: ran.append(1))
    assert run_due_job(world.systems, registry) == 1
    assert run_due_job(world.systems, registry) == 0
    world.pass_time(PERIOD.total_seconds() * 0.8)
    assert run_due_job(world.systems, registry) == 0
    world.pass_time(PERIOD.total_seconds() * 0.4)
    assert run_due_job(world.systems, registry) == 1
    assert len(ran) == 2


def test_a_failed_job_says_why_and_comes_again(world: World) -> None:
    """The status shows kind and words of the last failure until a run succeeds."""
    run_due_job(world.systems, failing(Transient("Keycloak does not answer")))
    assert state(world).error == ("transient", "Keycloak does not answer")
    world.pass_time(3)
    assert run_due_job(world.systems, job(nothing)) == 1
    assert (state(world).error, state(world).attempts) == (None, 0)


def test_an_error_nobody_foresaw_ends_no_worker_and_tells_no_secret(world: World) -> None:
    """Its words may hold anything; the type is enough to find it in the log."""
    run_due_job(world.systems, failing(ValueError("hunter2")))
    assert state(world).error is not None
    assert state(world).error == ("unforeseen", "unforeseen error of type ValueError; the worker's log has more")


@pytest.mark.parametrize(
    ("error", "attempts", "least", "most"),
    [
        (None, 0, timedelta(minutes=4.5), timedelta(minutes=5.5)),
        (Transient("away"), 0, timedelta(seconds=0.2), timedelta(seconds=2)),
        (Transient("away"), 30, timedelta(seconds=0.2), timedelta(minutes=10)),
        (Misconfigured("secret"), 9, timedelta(seconds=30), timedelta(seconds=30)),
        (NeedsPerson("look"), 9, timedelta(minutes=4.5), timedelta(minutes=5.5)),
    ],
)
@given(chance=st.floats(0, 1, exclude_max=True))
def test_when_it_comes_again_follows_from_what_is_wrong(
    error: Failure | None, attempts: int, least: timedelta, most: timedelta, chance: float
) -> None:
    """What passes by itself is tried soon and ever later, what a person mends steadily."""
    assert least <= next_run(Job(nothing, PERIOD), attempts, error, chance)[0] <= most


def test_a_long_job_stays_with_its_worker(world: World) -> None:
    """As long as it says so, nobody else begins it."""

    def long(systems: Systems, keep: KeepLease) -> None:
        for _ in range(5):
            world.pass_time(LEASE.total_seconds() * 0.6)
            keep()
            assert run_due_job(systems, registry) == 0

    registry = job(long)
    assert run_due_job(world.systems, registry) == 1
    assert state(world).error is None


def test_a_frozen_worker_s_late_write_does_not_count(world: World) -> None:
    """Another worker took the job over; what the first one then saves is undone, and so is what goes with it."""
    seen: list[Mapping[str, Any]] = []

    def frozen(systems: Systems, keep: KeepLease) -> None:
        seen.append(keep.state)
        if len(seen) > 1:
            with systems.db.write() as tx:
                keep.save(tx, {"position": 2})
            return
        world.pass_time(LEASE.total_seconds() + 1)
        assert run_due_job(systems, registry) == 1
        with pytest.raises(Transient, match="the lease was lost"):
            keep()
        with systems.db.write() as tx:
            keep.save(tx, {"position": 1})

    registry = job(frozen)
    run_due_job(world.systems, registry)
    assert state(world).state == {"position": 2}
    assert state(world).error is None
    assert seen == [{}, {}]


def test_the_sweep_wakes_a_worker_for_jobs_that_are_due(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a lane of their own, and only then."""
    registry = job(nothing)
    monkeypatch.setattr(sweeping, "JOBS", registry)
    assert sweeping.sweep(world.systems) == (Lane.RECONCILE,)
    run_due_job(world.systems, registry)
    assert sweeping.sweep(world.systems) == ()
    assert world.wake.woken == [Lane.RECONCILE]
