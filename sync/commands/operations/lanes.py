"""Pausing a lane and letting it go on (H3). Commands of an operator; what a worker holds already it finishes."""

from __future__ import annotations

from datetime import datetime

from sync.commands.accounts.change import require_reason
from sync.domain.accounts.change import Actor
from sync.domain.work.lane import Lane
from sync.store import audit
from sync.store.database.transactions import Tx
from sync.store.work import lanes


def pause(tx: Tx, lane: Lane, by: Actor, now: datetime) -> bool:
    """From now on nothing of the lane is begun. False: it is paused already. Raises Refused without a reason."""
    require_reason(by)
    changed = lanes.pause(tx, lane, by, now)
    if changed:
        _audit(tx, "lane paused", lane, by, now)
    return changed


def resume(tx: Tx, lane: Lane, by: Actor, now: datetime) -> bool:
    """What waits goes on. False: the lane is not paused. Raises Refused without a reason."""
    require_reason(by)
    changed = lanes.resume(tx, lane)
    if changed:
        _audit(tx, "lane resumed", lane, by, now)
    return changed


def _audit(tx: Tx, action: str, lane: Lane, by: Actor, now: datetime) -> None:
    audit.audit(tx, account_id=None, action=action, changed={"lane": (None, lane)}, by=by, now=now)
