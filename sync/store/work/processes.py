"""Signs of life of the processes that hold leases: one row each, written every few seconds (H1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete

from sync.store.database.tables import process
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert

FORGOTTEN_AFTER = timedelta(hours=1)
"""Long after anything that it held was taken over."""


def lives(tx: Tx, process_id: str, host: str, pid: int, now: datetime) -> None:
    """The process lives; those that have been silent for long are forgotten."""
    row = {"id": process_id, "host": host, "pid": pid, "seen_at": now}
    tx.connection.execute(upsert(tx, process, row, changes={"seen_at": now}))
    tx.connection.execute(delete(process).where(process.c.seen_at < now - FORGOTTEN_AFTER))


def ends(tx: Tx, process_id: str) -> None:
    """It ends in good order: what it may still hold can be taken over at once."""
    tx.connection.execute(delete(process).where(process.c.id == process_id))
