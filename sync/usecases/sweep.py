"""The promise behind the wakes: whatever is due is found, even if every message was lost (H1)."""

from __future__ import annotations

from sync.domain.lane import Lane
from sync.store import mails, passwords, provisioning, runs
from sync.usecases.command import wake
from sync.usecases.site import Site


def sweep(site: Site) -> tuple[Lane, ...]:
    """Wake each lane that has something due, once. Passwords that were not delivered in time are erased, the mails
    that would have carried them given up (rule 12). Answers the lanes.
    """
    now = site.clock.now()
    with site.db.write() as tx:
        passwords.erase_expired(tx, now)
        mails.expire(tx, now)
        lanes = set(provisioning.due_lanes(tx, now))
        if mails.any_due(tx, now):
            lanes.add(Lane.MAIL)
        if runs.any_to_apply(tx, now):
            lanes.add(Lane.BULK)
    for lane in sorted(lanes):
        wake(site, lane)
    return tuple(sorted(lanes))
