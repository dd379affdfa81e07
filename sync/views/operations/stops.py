"""What keeps a lane from working just now, for a command that waits for it (H6)."""

from __future__ import annotations

from datetime import datetime

from sync.domain.access.scope import Scope
from sync.domain.work.lane import Lane
from sync.store import schedule
from sync.store.database.transactions import Tx
from sync.store.operations import login_probe
from sync.store.work import lanes
from sync.views.operations.troubles import pause_told


def what_stops(tx: Tx, scope: Scope, lane: Lane, now: datetime) -> str | None:
    """Why nothing of the lane is brought about, with what ends it; None: nothing known. Raises Refused for a scope
    of one branch."""
    scope.require_everything("operations")
    for pause in lanes.paused(tx):
        if pause.lane is lane:
            return f"{pause_told(pause)} (fsm-identity ops resume {lane.value} --reason …)"
    probe = login_probe.of_jobs(schedule.all_jobs(tx))
    if lane is Lane.MAIL or probe is None or probe.answers or probe.is_old(now):
        return None
    return f"Keycloak does not answer since {probe.since:%Y-%m-%d %H:%M:%S} UTC: {probe.reason}"
