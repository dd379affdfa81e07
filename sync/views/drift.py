"""How far a comparison is that somebody waits for, and what keeps it from beginning."""

from __future__ import annotations

from dataclasses import dataclass

from sync.desk import Desk
from sync.domain.work.lane import Lane
from sync.store import schedule
from sync.store.drift import comparisons
from sync.store.drift.comparisons import Comparison
from sync.store.operations import heartbeats
from sync.store.work import lanes


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """`waits`: why it has not begun, None where nothing is known to be in its way."""

    comparison: Comparison
    waits: str | None

    @property
    def ended(self) -> bool:
        return self.comparison.finished_at is not None


def comparison_view(desk: Desk, comparison_id: str) -> ComparisonView:
    now = desk.clock.now()
    with desk.db.read() as tx:
        found = comparisons.get(tx, comparison_id)
        served = any(Lane.RECONCILE.value in each.lanes and not each.is_gone(now) for each in heartbeats.seen(tx))
        paused = lanes.is_paused(tx, Lane.RECONCILE)
        errors = [each.error for each in schedule.all_jobs(tx) if each.name == found.kind and each.error]
    if found.state != "asked":
        return ComparisonView(found, None)
    if paused:
        return ComparisonView(found, "the lane reconcile is paused: fsm-identity ops resume reconcile")
    if not served:
        return ComparisonView(
            found, "no worker serves the lane reconcile; start one: celery -A workers.app worker -Q reconcile"
        )
    return ComparisonView(found, errors[0][1] if errors else None)
