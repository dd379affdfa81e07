"""How many changes a source has pushed in small portions lately, by kind and minute: a sliding window (E7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from mappings.guard import ChangeKind
from sync.store.database.tables import push_count as pushes
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert


def count(tx: Tx, source: str, numbers: Mapping[ChangeKind, int], now: datetime) -> None:
    """So many changes of these kinds. Two pushes of one source in the same minute wait for each other, so that the
    second sees the first in `within`."""
    minute = now.replace(second=0, microsecond=0)
    for kind, number in sorted(numbers.items()):
        row = {"source": source, "kind": kind, "minute": minute, "number": number}
        tx.connection.execute(upsert(tx, pushes, row, changes={"number": pushes.c.number + number}))


def within(tx: Tx, source: str, minutes: int, now: datetime) -> Mapping[ChangeKind, int]:
    """By kind, over the last so many minutes, to the minute."""
    since = now - timedelta(minutes=minutes)
    found = tx.connection.execute(
        select(pushes.c.kind, func.sum(pushes.c.number))
        .where(pushes.c.source == source, pushes.c.minute > since)
        .group_by(pushes.c.kind)
    )
    return {row[0]: int(row[1]) for row in found}


def forget(tx: Tx, before: datetime) -> int:
    """Drop what no window reaches any more. Returns how many rows."""
    return tx.connection.execute(delete(pushes).where(pushes.c.minute < before)).rowcount
