"""Asking every few seconds whether Keycloak answers, so that an operator knows before any work of ours has met it
(H3, H6).

It is a row of the table `schedule` and of no lane: whoever sweeps runs it, whatever is paused, and before any
check of the foreign systems.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from sync.domain.errors import Transient
from sync.domain.operations import asked
from sync.jobs.systems import Systems
from sync.jobs.work.job import Job, KeepLease
from sync.store import schedule
from sync.store.operations import login_probe

DUE_AFTER: Final = timedelta(seconds=8)
"""Sweeps come every 5 s: with what a period may come early or late, every second one finds it due."""


def ask_keycloak(systems: Systems, keep: KeepLease) -> None:
    """Keep whether it answers, and since when that is so. When it answers again, the jobs that failed meanwhile
    are due: what they told is over."""
    reason = systems.answering.ask()
    with systems.db.write() as tx:
        now, before = systems.clock.now(), login_probe.from_record(keep.state)
        keep.save(tx, login_probe.record(asked(before, reason, now)))
        if reason is None and before is not None and not before.answers:
            for each in schedule.all_jobs(tx):
                if each.error is not None and each.error[0] == Transient.kind:
                    schedule.hasten(tx, each.name, now, timedelta(0))


PROBES: Mapping[str, Job] = {login_probe.NAME: Job(ask_keycloak, DUE_AFTER)}
