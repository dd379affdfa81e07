"""The time from a change being wanted to Keycloak having it, as a histogram for each lane (H3).

Workers add to it when they record an account as applied; the metrics read it. Nothing else knows the buckets.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from sync.domain.work.claimed import ClaimedAccount
from sync.domain.work.lane import Lane
from sync.store.database.tables import latency as counters
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""Upper bounds in seconds; what took longer is in `+Inf`. An interactive change is there within the first ones, a
large import needs minutes, a closed circuit half an hour."""

LABELS = (*(f"{bound:g}" for bound in BUCKETS), "+Inf")
SLOTS = 16


@dataclass(frozen=True, slots=True)
class Histogram:
    """`buckets` maps the upper bound, as Prometheus writes it, to how many took at most that long (cumulative);
    `seconds` is all of them together."""

    buckets: Mapping[str, int]
    seconds: float

    @property
    def count(self) -> int:
        return self.buckets["+Inf"]


def add(tx: Tx, took: Mapping[ClaimedAccount, tuple[Lane, timedelta]]) -> None:
    """Count each change in its lane. Last in its transaction: two workers of one slot wait for each other here,
    and whoever waits here must not hold what the other one still wants."""
    found: dict[tuple[str, str], tuple[int, float]] = {}
    for lane, time in took.values():
        seconds = max(0.0, time.total_seconds())
        key = lane.value, LABELS[bisect_left(BUCKETS, seconds)]
        count, together = found.get(key, (0, 0.0))
        found[key] = count + 1, together + seconds
    slot = os.getpid() % SLOTS
    for (lane_name, le), (count, seconds) in sorted(found.items()):
        row = {"lane": lane_name, "slot": slot, "le": le, "count": count, "seconds": seconds}
        added = {"count": counters.c.count + count, "seconds": counters.c.seconds + seconds}
        tx.connection.execute(upsert(tx, counters, row, changes=added))


def read(tx: Tx) -> Mapping[Lane, Histogram]:
    """One for each lane that has brought something about."""
    found: dict[Lane, dict[str, tuple[int, float]]] = {}
    rows = tx.connection.execute(
        select(counters.c.lane, counters.c.le, func.sum(counters.c.count), func.sum(counters.c.seconds)).group_by(
            counters.c.lane, counters.c.le
        )
    )
    for lane, le, count, seconds in rows:
        found.setdefault(Lane(lane), {})[le] = int(count), float(seconds)
    return {lane: _histogram(counted) for lane, counted in sorted(found.items())}


def _histogram(counted: Mapping[str, tuple[int, float]]) -> Histogram:
    buckets: dict[str, int] = {}
    so_far = 0
    for label in LABELS:
        so_far += counted.get(label, (0, 0.0))[0]
        buckets[label] = so_far
    return Histogram(buckets, sum(seconds for _, seconds in counted.values()))
