"""The job of the lane `reconcile` that plans adoptions and carries them out. It comes round seldom: a door that
has something for it makes it due (`sync.commands.adoption`)."""

from __future__ import annotations

from datetime import timedelta

from sync.jobs.adoption.adopt import adopt_reviewed
from sync.jobs.adoption.plan import plan_asked
from sync.jobs.systems import Systems
from sync.jobs.work.job import Job, KeepLease
from sync.store import schedule
from sync.store.runs import runs

COMES_AGAIN = timedelta(seconds=5)
"""For the accounts that workers are at just now: their leases are seconds long."""


def _carry_out(systems: Systems, keep: KeepLease) -> None:
    with systems.db.read() as tx:
        asked, confirmed = runs.unfinished(tx, "adoption")
    for run in asked:
        plan_asked(systems, keep, run)
    done = [adopt_reviewed(systems, keep, run) for run in confirmed]
    if not all(done):
        with systems.db.write() as tx:
            schedule.hasten(tx, schedule.ADOPTION, systems.clock.now() + COMES_AGAIN, timedelta())


ADOPTION = Job(_carry_out, timedelta(hours=1))
