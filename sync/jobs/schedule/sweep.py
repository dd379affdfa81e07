"""The promise behind the wakes: whatever is due is found, even if every message was lost (H1).

Any worker may sweep; a lock in the database lets one do it at a time. What it finds it only wakes workers for.
"""

from __future__ import annotations

from sync.commands import waking
from sync.commands.waking import wake
from sync.domain.work.lane import Lane
from sync.jobs.acts.carry_out import look_for_overlooked
from sync.jobs.audit import ANCHORING, CHAINING
from sync.jobs.operations import PROBES
from sync.jobs.schedule.run_jobs import JOBS, run_due_job
from sync.jobs.systems import Systems
from sync.jobs.work import circuits
from sync.store import schedule
from sync.store.accounts import passwords
from sync.store.database import locks
from sync.store.deactivation import reassignments
from sync.store.mail import outbox
from sync.store.operations import heartbeats
from sync.store.runs import runs
from sync.store.work import account_claims, lease_rows
from sync.store.work import lanes as pauses


def come_round(systems: Systems) -> None:
    """What any worker does every few seconds: the sweep, and whatever of no lane is due, one after the other."""
    sweep(systems)
    for jobs in (PROBES, CHAINING, ANCHORING):
        run_due_job(systems, jobs, lane=None)


def sweep(systems: Systems) -> tuple[Lane, ...]:
    """Wake each lane that has something due and is not paused, once, and those of workers that could not work, for
    then they try again. What workers hold that ended or hang is taken
    away from them. Passwords that were not delivered in time are
    erased, the mails that would have carried them given up (rule: secrets-go). Returns the lanes; none if another
    worker sweeps just now.
    """
    now = systems.clock.now()
    with systems.db.write() as tx:
        if not locks.alone(tx, locks.SWEEP):
            return ()
        passwords.erase_expired(tx, now)
        outbox.expire(tx, now)
        lease_rows.take_over(tx, now, systems.longest_request)
        due = {*look_for_overlooked(tx, now), *account_claims.due_lanes(tx, now)}
        lanes = {lane for lane in due if circuits.admits(systems, tx, lane)}
        if account_claims.any_looks(tx, now) and circuits.admits(systems, tx, Lane.INTERACTIVE):
            lanes.add(Lane.INTERACTIVE)
        if reassignments.any_due(tx, now):
            lanes.add(Lane.INTERACTIVE)
        if outbox.any_due(tx, now):
            lanes.add(Lane.MAIL)
        if runs.any_to_apply(tx, now):
            lanes.add(Lane.BULK)
        schedule.register(tx, JOBS.keys(), now)
        if schedule.any_due(tx, JOBS.keys(), now):
            lanes.add(Lane.RECONCILE)
        lanes -= {each.lane for each in pauses.paused(tx)}
        lanes |= heartbeats.lanes_in_trouble(tx, now)
    woken = [wake(systems, lane) for lane in sorted(lanes)]
    if all(woken):
        waking.works(systems)
    return tuple(sorted(lanes))
