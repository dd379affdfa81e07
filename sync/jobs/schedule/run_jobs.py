"""Running the periodic jobs: each by one worker at a time, again after its period, and after a failure sooner.

Workers are woken for it in the lane `reconcile`. What a job does stands in its own module; its last error stays
with it until it succeeds, for the status and the alerts.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta

import structlog

from sync.domain.errors import Failure, Misconfigured, Transient
from sync.domain.work.retry import MISCONFIGURED_LOOK, backoff
from sync.jobs.drift.admin_events import look_at_admin_events
from sync.jobs.drift.scheduled import ATTRIBUTE_PASS, COMPARISON
from sync.jobs.logins import read_logins
from sync.jobs.realm import watch_realm
from sync.jobs.systems import Systems
from sync.jobs.work.job import LEASE, Job, KeepLease
from sync.jobs.work.unforeseen import kind_of, message_of
from sync.store import schedule

JOBS: Mapping[str, Job] = {
    "login-events": Job(read_logins, timedelta(seconds=30)),
    "admin-events": Job(look_at_admin_events, timedelta(seconds=30)),
    "attribute-pass": ATTRIBUTE_PASS,
    "comparison": COMPARISON,
    "realm": Job(watch_realm, timedelta(minutes=5)),
}
"""Name to job. The names are those of the rows; one that is taken out here is simply not run any more."""

JITTER = 0.1
"""The part of a period by which a run may come early or late, so that installations do not march in step."""

log = structlog.get_logger()


def run_due_job(systems: Systems, registry: Mapping[str, Job] = JOBS) -> int:
    """Run the job that is due the longest, if any. Returns how many were run: 1 or 0."""
    with systems.db.write() as tx:
        schedule.register(tx, registry.keys(), systems.clock.now())
        claim = schedule.claim(tx, registry.keys(), systems.clock.now(), LEASE)
    if claim is None:
        return 0
    job = registry[claim.name]
    error = _run(systems, job, KeepLease(systems, claim), claim.name)
    with systems.db.write() as tx:
        now = systems.clock.now()
        due = now + next_run(job, claim.attempts, error, random.random())  # noqa: S311 - jitter
        schedule.finish(
            tx, claim, now, due_at=due, error=None if error is None else (kind_of(error), message_of(error))
        )
    return 1


def next_run(job: Job, attempts: int, error: Exception | None, chance: float) -> timedelta:
    """How long after the end of a run the next one begins. `attempts` counts the failures in a row before this
    run; `chance` is in [0, 1).

    Transient comes again with backoff, Misconfigured steadily, anything else after the period: then it is a
    person who has to act, and more haste would not help.
    """
    match error:
        case Transient():
            return backoff(attempts + 1, chance)
        case Misconfigured():
            return min(MISCONFIGURED_LOOK, job.period)
        case _:
            return job.period * (1 + JITTER * (2 * chance - 1))


def _run(systems: Systems, job: Job, keep: KeepLease, name: str) -> Exception | None:
    try:
        job.run(systems, keep)
    except Failure as failure:
        log.warning("a job failed; it comes again", job=name, kind=failure.kind, reason=str(failure))
        return failure
    except Exception as error:
        log.exception("unforeseen error in a job", job=name)
        return error
    return None
