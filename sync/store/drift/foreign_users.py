"""The users of the realm that are not ours, as the comparison saw them: listed for people, never touched (G4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from sync.domain.drift.listed_user import ListedUser
from sync.domain.work.claimed import ClaimedJob
from sync.store.database.batches import batches
from sync.store.database.tables import foreign_user as table
from sync.store.database.transactions import Tx


@dataclass(frozen=True, slots=True)
class ForeignUser:
    idp_user_id: str
    username: str
    email: str
    enabled: bool
    first_seen_at: datetime
    last_seen_at: datetime


def seen(tx: Tx, _claimed: ClaimedJob, users: Sequence[ListedUser], now: datetime) -> None:
    """One page of them."""
    ids = [user.idp_user_id for user in users]
    known: set[str] = set()
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        known |= set(tx.connection.scalars(select(table.c.idp_user_id).where(table.c.idp_user_id.in_(some))))
        tx.connection.execute(update(table).where(table.c.idp_user_id.in_(some)).values(last_seen_at=now))
    new = [
        {
            "idp_user_id": user.idp_user_id,
            "username": user.username,
            "email": user.email,
            "enabled": user.enabled,
            "first_seen_at": now,
            "last_seen_at": now,
        }
        for user in users
        if user.idp_user_id not in known
    ]
    if new:
        tx.connection.execute(table.insert(), new)


def forget_unseen(tx: Tx, _claimed: ClaimedJob, since: datetime) -> None:
    """After a whole comparison: who was not seen is gone from the realm, or ours by now."""
    tx.connection.execute(delete(table).where(table.c.last_seen_at < since))


def not_foreign(tx: Tx, _claimed: ClaimedJob, idp_user_ids: Collection[str]) -> int:
    """They carry a mark of ours: a finding of its own tells of them. Returns how many were listed."""
    gone = 0
    for some in batches(idp_user_ids):
        gone += tx.connection.execute(delete(table).where(table.c.idp_user_id.in_(some))).rowcount
    return gone


def forget_new(tx: Tx, _claimed: ClaimedJob, since: datetime) -> None:
    """After a comparison that is not believed: whom it saw first."""
    tx.connection.execute(delete(table).where(table.c.first_seen_at >= since))


def listed(tx: Tx, limit: int | None) -> tuple[ForeignUser, ...]:
    """By username; None: all of them."""
    rows = tx.connection.execute(select(table).order_by(table.c.username, table.c.idp_user_id).limit(limit))
    return tuple(ForeignUser(**row) for row in rows.mappings())
