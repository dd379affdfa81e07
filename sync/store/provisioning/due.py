"""The work on each account: what makes it due. Who works on it stands in `account_claims`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Update, and_, case, literal, null, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sync.domain.access.granted import Granted
from sync.domain.errors import FailureCode
from sync.domain.work.lane import Lane
from sync.store.database.columns import UtcDateTime
from sync.store.database.tables import provisioning as work
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert

NOT_STUCK = {
    "quarantine_kind": null(),
    "quarantine_code": null(),
    "quarantine_reason": null(),
    "quarantine_difference": null(),
    "waits_for": null(),
    "waits_code": null(),
    "waits_reason": null(),
    "waits_since": null(),
    "waits_attempts": null(),
}
"""Neither in quarantine nor waiting for anything to be mended."""


def mark_due(tx: Tx, account_id: str, lane: Lane, now: datetime) -> int:
    """Something else is wanted of the account: look now. Returns the new wanted version, counted from 1.

    Lifts a quarantine and forgets failures and what held it: they belonged to what was wanted before. Work that
    waits in the interactive lane stays there.
    """
    statement = _due(tx, account_id, lane, now)
    version: int = tx.connection.execute(statement.returning(work.c.wanted_version)).scalar_one()
    return version


def mark_new_due(tx: Tx, account_ids: Sequence[str], lane: Lane, now: datetime) -> None:
    """`mark_due` for accounts that were stored just now."""
    if account_ids:
        first = _first(lane, now)
        tx.connection.execute(work.insert(), [{"account_id": account_id} | first for account_id in account_ids])


def _first(lane: Lane, now: datetime) -> dict[str, object]:
    return {
        "wanted_version": 1,
        "wanted_at": now,
        "lane": lane.value,
        "due_at": now,
        "asked": 1,
        "attempts": 0,
        "updated_at": now,
    }


def _due(tx: Tx, account_id: str, lane: Lane, now: datetime) -> postgresql.Insert | sqlite.Insert:
    stays = and_(work.c.due_at.is_not(None), work.c.lane == Lane.INTERACTIVE.value)
    return upsert(
        tx,
        work,
        {"account_id": account_id} | _first(lane, now),
        changes={
            "wanted_version": work.c.wanted_version + 1,
            "wanted_at": now,
            "lane": case((stays, work.c.lane), else_=lane.value),
            "due_at": now,
            "asked": work.c.asked + 1,
            "attempts": 0,
            "held_work_orders": null(),
            "updated_at": now,
            **NOT_STUCK,
        },
    )


def look_again(tx: Tx, account_id: str, lane: Lane, at: datetime) -> bool:
    """Look at the account at that time or earlier; nothing else is wanted of it. A quarantined one stays.

    False: there is no such account at work.
    """
    return tx.connection.execute(_look_again(lane, at).where(work.c.account_id == account_id)).rowcount == 1


def look_again_many(tx: Tx, account_ids: Collection[str], lane: Lane, at: datetime) -> None:
    """`look_again` for many."""
    tx.connection.execute(_look_again(lane, at).where(work.c.account_id.in_(list(account_ids))))


def _look_again(lane: Lane, at: datetime) -> Update:
    stays = and_(work.c.due_at.is_not(None), work.c.lane == Lane.INTERACTIVE.value)
    sooner = and_(work.c.due_at.is_not(None), work.c.due_at <= at)
    return update(work).values(
        lane=case((stays, work.c.lane), else_=lane.value),
        due_at=case((sooner, work.c.due_at), else_=literal(at, UtcDateTime())),
        asked=work.c.asked + 1,
    )


def look_at_waiting(tx: Tx, code: FailureCode, now: datetime) -> None:
    """Whoever waits for this to be mended, whatever it is about, is due now; nothing else is wanted of them. Those
    that somebody else is writing are passed over: two transactions with many accounts could wait for each
    other."""
    the_code = or_(work.c.waits_code == code.value, work.c.waits_code.startswith(f"{code.value} "))
    waiting = select(work.c.account_id).where(work.c.waits_for.is_not(None), the_code, work.c.due_at > now)
    chosen = waiting.with_for_update(skip_locked=True).cte("waiting")
    tx.connection.execute(
        update(work).where(work.c.account_id.in_(select(chosen.c.account_id))).values(due_at=now)
    )


def touched_since(tx: Tx, since: datetime, after: str, limit: int) -> tuple[str, ...]:
    """Ids of accounts that were created, changed or worked on since then, behind this id: page by page."""
    found = select(work.c.account_id).where(work.c.updated_at >= since, work.c.account_id > after)
    return tuple(tx.connection.scalars(found.order_by(work.c.account_id).limit(limit)))


def look_after_leases(tx: Tx, now: datetime) -> int:
    """Every account that somebody works on just now is looked at once more afterwards. Returns how many."""
    changed = tx.connection.execute(
        update(work)
        .where(work.c.lease_token.is_not(None))
        .values(asked=work.c.asked + 1, due_at=case((work.c.due_at.is_(None), now), else_=work.c.due_at))
    )
    return changed.rowcount


def lift_quarantine(tx: Tx, granted: Granted, account_id: str, lane: Lane, now: datetime) -> bool:  # noqa: ARG001
    """A person asks to try again what is wanted already. False: the account is not in quarantine."""
    changed = tx.connection.execute(
        update(work)
        .where(work.c.account_id == account_id, work.c.quarantine_kind.is_not(None))
        .values(
            lane=lane.value,
            due_at=now,
            asked=work.c.asked + 1,
            attempts=0,
            updated_at=now,
            **NOT_STUCK,
        )
    )
    return changed.rowcount == 1
