"""What a periodic job is: a function that is run again and again by one worker at a time, and its hold on that.

`run_jobs` has the list of them and runs them; each job stands in a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sync.domain.work.claimed import ClaimedJob
from sync.jobs.systems import Systems
from sync.jobs.work.lease import keep_lease, lost, require_claim
from sync.store import schedule
from sync.store.database.transactions import Tx
from sync.store.schedule import JobClaim
from sync.store.work import lease_rows


class KeepLease:
    """A running job's hold on its row. Call it before each page, chunk or write."""

    def __init__(self, systems: Systems, claim: JobClaim) -> None:
        self._systems = systems
        self._claim = claim

    @property
    def state(self) -> Mapping[str, Any]:
        """What the job saved last, in this run or one before; empty at the very first run."""
        return self._claim.state

    def __call__(self) -> None:
        """Keep the job for another while. Raises Transient if it is somebody else's by now: write nothing more."""
        keep_lease(self._systems, self._claim)

    def claimed(self, tx: Tx) -> ClaimedJob:
        """What this transaction writes is written as the job's. Raises Transient, and so undoes it, if the job is
        somebody else's by now."""
        return require_claim(tx, self._claim)

    def still_claimed(self, tx: Tx) -> ClaimedJob | None:
        """`claimed` for what is written after a failure, which a lost lease must not hide. None: it is lost."""
        return lease_rows.still_claimed(tx, self._claim.lease)

    def save(self, tx: Tx, state: Mapping[str, Any]) -> ClaimedJob:
        """Remember this for the next run, in the commit of what it belongs to. Raises Transient like `claimed`."""
        saved = schedule.save(tx, self._claim, state)
        if saved is None:
            raise lost()
        self._claim = replace(self._claim, state=dict(state))
        return saved


@dataclass(frozen=True, slots=True)
class Job:
    """`period` is the time from the end of a run that succeeded to the next. `run` raises a Failure, or returns
    when there is nothing more to do; a long one keeps its lease and saves where it is."""

    run: Callable[[Systems, KeepLease], object]
    period: timedelta
