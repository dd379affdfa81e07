"""Running the periodic jobs: each by one worker at a time, again after its period, and after a failure sooner.

Workers are woken for it in the lane `reconcile`. What a job does stands in its own module; its last error stays
with it until it succeeds, for the status and the alerts.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta

import structlog

from sync.domain.errors import Failure, Misconfigured
from sync.domain.work.ladder import Work, after
from sync.domain.work.lane import Lane
from sync.jobs.adoption.scheduled import ADOPTION
from sync.jobs.dates import DATES
from sync.jobs.drift.admin_events import look_at_admin_events
from sync.jobs.drift.scheduled import ATTRIBUTE_PASS, COMPARISON
from sync.jobs.logins import read_logins
from sync.jobs.realm import watch_realm
from sync.jobs.systems import Systems
from sync.jobs.work import circuits
from sync.jobs.work.job import Job, KeepLease
from sync.jobs.work.lease import terms
from sync.jobs.work.unforeseen import as_failure, kind_of
from sync.ports.lease import kept
from sync.store import schedule

JOBS: Mapping[str, Job] = {
    "login-events": Job(read_logins, timedelta(seconds=30)),
    schedule.ADOPTION: ADOPTION,
    "admin-events": Job(look_at_admin_events, timedelta(seconds=30)),
    "attribute-pass": ATTRIBUTE_PASS,
    "comparison": COMPARISON,
    schedule.DATES: DATES,
    schedule.REALM: Job(watch_realm, timedelta(minutes=5)),
}
"""Name to job. The names are those of the rows; one that is taken out here is simply not run any more."""

JITTER = 0.1
"""The part of a period by which a run may come early or late, so that installations do not march in step."""

log = structlog.get_logger()


def run_due_job(systems: Systems, registry: Mapping[str, Job] = JOBS, lane: Lane | None = Lane.RECONCILE) -> int:
    """Run the job that is due the longest, if any; `lane` None: whatever is paused. Returns how many were run: 1
    or 0."""
    with systems.db.write() as tx:
        schedule.register(tx, registry.keys(), systems.clock.now())
        claim = schedule.claim(tx, registry.keys(), terms(systems), lane)
    if claim is None:
        return 0
    job = registry[claim.name]
    failure = _run(systems, job, KeepLease(systems, claim), claim.name)
    with systems.db.write() as tx:
        now = systems.clock.now()
        probe_in = None if failure is None else circuits.probe_in(systems, tx, failure, Lane.RECONCILE)
        wait, failed = next_run(job, claim.attempts, failure, random.random(), probe_in)  # noqa: S311 - jitter
        schedule.finish(
            tx,
            claim,
            now,
            due_at=now + wait,
            attempts=0 if failure is None else claim.attempts + int(failed),
            error=None if failure is None else (kind_of(failure), str(failure)),
        )
    return 1


def next_run(
    job: Job, attempts: int, failure: Failure | None, chance: float, probe_in: timedelta | None = None
) -> tuple[timedelta, bool]:
    """How long after the end of a run the next one begins, and whether the run counts as a failed attempt.
    `attempts` counts the failures in a row before this run; `chance` is in [0, 1).

    What a person has to mend is tried no later than the job's turn; where haste would not help, it waits for its
    turn.
    """
    turn = job.period * (1 + JITTER * (2 * chance - 1))
    if failure is None:
        return turn, False
    then = after(failure, attempts, Work.SCHEDULE, chance, probe_in=probe_in)
    if then.wait is None:
        return turn, then.burns
    return min(then.wait, job.period) if isinstance(failure, Misconfigured) else then.wait, then.burns


def _run(systems: Systems, job: Job, keep: KeepLease, name: str) -> Failure | None:
    try:
        with kept(keep):
            job.run(systems, keep)
    except Exception as error:
        failure = as_failure(error, job=name)
        log.warning("a job failed; it comes again", job=name, code=failure.code.value, reason=str(failure))
        return failure
    return None
