"""Whoever has mended the realm does not wait for the next turn of the watch to read that it is mended (H3, H6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.commands.operations.watch import look_at_realm_soon
from sync.domain.work.lane import Lane
from sync.jobs.schedule.run_jobs import JOBS, run_due_job
from sync.jobs.schedule.sweep import sweep
from sync.jobs.systems import Systems
from sync.jobs.work.job import Job, KeepLease
from tests.world import World

pytestmark = pytest.mark.supports("H3", "H6")


def nothing(_systems: Systems, _keep: KeepLease) -> None:
    """Finds the realm in order."""


def test_the_watch_is_due_at_once_and_a_worker_is_told(world: World) -> None:
    [name] = [name for name, job in JOBS.items() if job.run.__module__ == "sync.jobs.realm"]
    watch = {name: Job(nothing, timedelta(minutes=5))}
    look_at_realm_soon(world.systems)
    sweep(world.systems)
    assert run_due_job(world.systems, watch) == 1
    world.pass_time(10)
    assert run_due_job(world.systems, watch) == 0
    world.wake.woken.clear()
    look_at_realm_soon(world.systems)
    assert world.wake.woken == [Lane.RECONCILE]
    assert run_due_job(world.systems, watch) == 1
