"""Pausing a lane and letting it go on (H3). Commands of an operator; what a worker holds already it finishes."""

from __future__ import annotations

from datetime import datetime

from mappings.policy import Policy
from sync.commands.access import authority
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.work.lane import Lane
from sync.store.audit import trail
from sync.store.database.transactions import Tx
from sync.store.work import lanes


def pause(tx: Tx, policy: Policy | None, lane: Lane, by: Cause, now: datetime) -> bool:
    """From now on nothing of the lane is begun. False: it is paused already. Raises Refused without a reason."""
    granted = authority.allow(tx, policy, by, Permission.PAUSE_LANE, now)
    changed = lanes.pause(tx, lane, granted, now)
    if changed:
        _audit(tx, "lane paused", lane, by, now)
    return changed


def resume(tx: Tx, policy: Policy | None, lane: Lane, by: Cause, now: datetime) -> bool:
    """What waits goes on. False: the lane is not paused. Raises Refused without a reason."""
    granted = authority.allow(tx, policy, by, Permission.RESUME_LANE, now)
    changed = lanes.resume(tx, lane, granted)
    if changed:
        _audit(tx, "lane resumed", lane, by, now)
    return changed


def _audit(tx: Tx, action: str, lane: Lane, by: Cause, now: datetime) -> None:
    trail.audit(tx, account_id=None, action=action, changed={"lane": (None, lane)}, by=by, now=now)
