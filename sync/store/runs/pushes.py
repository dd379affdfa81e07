"""How many changes each source has let pass without an approval, by kind and minute: sliding windows (E7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import case, delete, func, select

from mappings.guard import WINDOWS, ChangeKind
from sync.domain.runs.guard import LENGTH, Impact, Windows
from sync.store.database.tables import push_count as pushes
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert

FORGOTTEN_AFTER = LENGTH["week"] + timedelta(days=1)


def count(tx: Tx, source: str, numbers: Mapping[ChangeKind, int], at: datetime) -> None:
    """So many changes of these kinds more; negative ones take back what did not pass, never more than there is.
    Two pushes of one source in the same minute wait for each other, so that the second sees the first in
    `within`."""
    minute = at.replace(second=0, microsecond=0)
    for kind, number in sorted(numbers.items()):
        row = {"source": source, "kind": kind, "minute": minute, "number": max(number, 0)}
        more = pushes.c.number + number
        tx.connection.execute(upsert(tx, pushes, row, changes={"number": case((more > 0, more), else_=0)}))


def within(tx: Tx, source: str, now: datetime) -> Windows:
    """By window and kind, to the minute."""
    since = {window: now - LENGTH[window] for window in WINDOWS}
    found = tx.connection.execute(
        select(
            pushes.c.kind,
            *(func.sum(case((pushes.c.minute > since[window], pushes.c.number), else_=0)) for window in WINDOWS),
        )
        .where(pushes.c.source == source, pushes.c.minute > min(since.values()))
        .group_by(pushes.c.kind)
    )
    rows = [tuple(row) for row in found]
    return {
        window: Impact({row[0]: int(row[place]) for row in rows}) for place, window in enumerate(WINDOWS, start=1)
    }


def forget(tx: Tx, now: datetime) -> None:
    """Drop what no window reaches any more."""
    tx.connection.execute(delete(pushes).where(pushes.c.minute < now - FORGOTTEN_AFTER))
