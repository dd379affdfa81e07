"""Which lanes are paused (H3). Whoever claims asks here; `sync.commands.operations.lanes` pauses and resumes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, select

from sync.domain.access.granted import Granted
from sync.domain.work.lane import Lane
from sync.store.database.tables import lane_pause
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing of the lane is begun until somebody resumes it."""

    lane: Lane
    paused_at: datetime
    paused_by: str
    reason: str


def running(lane: Lane) -> ColumnElement[bool]:
    """The condition of a claim: the lane is not paused. The same for every row, so it is looked up once."""
    return ~exists().where(lane_pause.c.lane == lane.value)


def is_paused(tx: Tx, lane: Lane) -> bool:
    """For work that is begun without a claim."""
    return bool(tx.connection.scalar(select(exists().where(lane_pause.c.lane == lane.value))))


def paused(tx: Tx) -> tuple[Pause, ...]:
    """In the order of the lanes' names."""
    rows = tx.connection.execute(select(lane_pause).order_by(lane_pause.c.lane))
    return tuple(Pause(Lane(row.lane), row.paused_at, row.paused_by, row.reason) for row in rows)


def pause(tx: Tx, lane: Lane, granted: Granted, now: datetime) -> bool:
    """False: it is paused already, and stays as it was paused first."""
    if is_paused(tx, lane):
        return False
    by = granted.by
    row = {"lane": lane.value, "paused_at": now, "paused_by": by.name, "reason": by.reason}
    tx.connection.execute(upsert(tx, lane_pause, row, changes={"lane": lane.value}))
    return True


def resume(tx: Tx, lane: Lane, granted: Granted) -> bool:  # noqa: ARG001 - it was asked
    """False: it is not paused."""
    return tx.connection.execute(delete(lane_pause).where(lane_pause.c.lane == lane.value)).rowcount == 1
