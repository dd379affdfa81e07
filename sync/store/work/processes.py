"""Signs of life of processes, one row each, written every few seconds: of those that hold leases, and of the beat
(H1, H3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select

from sync.store.database.tables import process
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert

BEAT: Final = "beat@"
"""What the id of a beat begins with; no other process has one like it."""

FORGOTTEN_AFTER = timedelta(hours=1)
"""Long after anything that it held was taken over."""


def lives(tx: Tx, process_id: str, host: str, pid: int, now: datetime) -> None:
    """The process lives; those that have been silent for long are forgotten."""
    row = {"id": process_id, "host": host, "pid": pid, "seen_at": now}
    tx.connection.execute(upsert(tx, process, row, changes={"seen_at": now}))
    tx.connection.execute(delete(process).where(process.c.seen_at < now - FORGOTTEN_AFTER))


def beat_of(host: str) -> str:
    """The id of the beat of a machine, whichever process it is."""
    return f"{BEAT}{host}"


def last_sign(tx: Tx, process_id: str) -> datetime | None:
    """None: it is not there, or has been silent for long."""
    found: datetime | None = tx.connection.scalar(select(process.c.seen_at).where(process.c.id == process_id))
    return found


def last_tick(tx: Tx) -> datetime | None:
    """The newest sign of any beat; one is enough."""
    newest = select(func.max(process.c.seen_at)).where(process.c.id.startswith(BEAT, autoescape=True))
    found: datetime | None = tx.connection.scalar(newest)
    return found


def ends(tx: Tx, process_id: str) -> None:
    """It ends in good order: what it may still hold can be taken over at once."""
    tx.connection.execute(delete(process).where(process.c.id == process_id))
