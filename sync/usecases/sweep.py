"""The promise behind the wakes: whatever is due is found, even if every message was lost (H1).

Any worker may sweep; a lock in the database lets one do it at a time. What it finds it only wakes workers for.
"""

from __future__ import annotations

from sync.domain.lane import Lane
from sync.store import jobs, leases, locks, mails, passwords, runs
from sync.store import lanes as pauses
from sync.usecases import circuit_watch, redis_watch
from sync.usecases.carry_out import look_for_overlooked
from sync.usecases.command import wake
from sync.usecases.run_jobs import JOBS
from sync.usecases.site import Site


def sweep(site: Site) -> tuple[Lane, ...]:
    """Wake each lane that has something due and is not paused, once. Passwords that were not delivered in time are
    erased, the mails that would have carried them given up (rule 12). Answers the lanes; none if another worker
    sweeps just now.
    """
    now = site.clock.now()
    with site.db.write() as tx:
        if not locks.alone(tx, locks.SWEEP):
            return ()
        passwords.erase_expired(tx, now)
        mails.expire(tx, now)
        due = {*look_for_overlooked(tx, now), *leases.due_lanes(tx, now)}
        lanes = {lane for lane in due if circuit_watch.admits(site, tx, lane)}
        if mails.any_due(tx, now):
            lanes.add(Lane.MAIL)
        if runs.any_to_apply(tx, now):
            lanes.add(Lane.BULK)
        jobs.register(tx, JOBS.keys(), now)
        if jobs.any_due(tx, JOBS.keys(), now):
            lanes.add(Lane.RECONCILE)
        lanes -= {each.lane for each in pauses.paused(tx)}
    woken = [wake(site, lane) for lane in sorted(lanes)]
    if all(woken):
        redis_watch.works(site)
    return tuple(sorted(lanes))
