"""Troubles that a process met and an operator has to see: noted, kept while they last, taken away when they are
over.

What has a place of its own is not noted here: circuits, quarantine, a worker that cannot start.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select

from sync.store.database.tables import trouble as troubles
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert

REDIS: Final = "redis"
"""The name of what whoever could wake nobody notes."""

FORGOTTEN_AFTER = timedelta(days=1)
"""Nobody has met it again and nobody has found it over: the machine it was on may be gone."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, since when (None: not known), and what mends it. No secret is in it."""

    what: str
    since: datetime | None
    remedy: str


def note(tx: Tx, name: str, what: str, remedy: str, now: datetime) -> None:
    """It is so now. `name` is what it is kept and taken away by, such as `redis` or `clock of HOST`."""
    row = {"name": name, "what": what, "remedy": remedy, "since": now, "seen_at": now}
    changes = {"what": what, "remedy": remedy, "seen_at": now}
    tx.connection.execute(upsert(tx, troubles, row, changes=changes))


def is_noted(tx: Tx, name: str) -> bool:
    return tx.connection.scalar(select(troubles.c.name).where(troubles.c.name == name)) is not None


def clear(tx: Tx, name: str) -> bool:
    """It is over. False: nothing was noted."""
    return tx.connection.execute(delete(troubles).where(troubles.c.name == name)).rowcount == 1


def since(tx: Tx, name: str) -> datetime | None:
    """Since when it is noted; None: it is not."""
    found: datetime | None = tx.connection.scalar(select(troubles.c.since).where(troubles.c.name == name))
    return found


def noted(tx: Tx, now: datetime, but: Collection[str] = ()) -> tuple[Trouble, ...]:
    """All that was met lately, the oldest first; without those of these names."""
    rows = tx.connection.execute(
        select(troubles)
        .where(troubles.c.seen_at > now - FORGOTTEN_AFTER, troubles.c.name.not_in(but))
        .order_by(troubles.c.since)
    )
    return tuple(Trouble(row.what, row.since, row.remedy) for row in rows)
