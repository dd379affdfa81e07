"""Accounts that are stuck: in quarantine, or waiting for something that somebody has to mend (H2, H3).

Reading only; who tries them again is `sync.commands.operations.quarantine`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import desc, func, select

from sync.domain.errors import Difference
from sync.store.database.tables import account
from sync.store.database.tables import provisioning as work
from sync.store.database.transactions import Tx


@dataclass(frozen=True, slots=True)
class StuckGroup:
    """Accounts that are stuck for the same cause. `kind` is the kind of the failure, or what they wait for; `code`
    the failure's cause; `reason` that of one of them."""

    kind: str
    code: str
    reason: str
    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One account in quarantine since `since`."""

    account_id: str
    username: str
    kind: str
    code: str
    reason: str
    since: datetime
    differences: tuple[Difference, ...]


def quarantine_groups(tx: Tx) -> tuple[StuckGroup, ...]:
    """By kind and code, the largest first."""
    rows = tx.connection.execute(
        select(
            work.c.quarantine_kind,
            work.c.quarantine_code,
            func.min(work.c.quarantine_reason),
            func.count().label("many"),
            func.min(work.c.updated_at),
        )
        .where(work.c.quarantine_kind.is_not(None))
        .group_by(work.c.quarantine_kind, work.c.quarantine_code)
        .order_by(desc("many"), work.c.quarantine_kind, work.c.quarantine_code)
    )
    return tuple(StuckGroup(*row) for row in rows)


def waiting_groups(tx: Tx) -> tuple[StuckGroup, ...]:
    """By what is waited for (a circuit's name, or "configuration") and code, the largest first."""
    rows = tx.connection.execute(
        select(
            work.c.waits_for,
            work.c.waits_code,
            func.min(work.c.waits_reason),
            func.count().label("many"),
            func.min(work.c.waits_since),
        )
        .where(work.c.waits_for.is_not(None))
        .group_by(work.c.waits_for, work.c.waits_code)
        .order_by(desc("many"), work.c.waits_for, work.c.waits_code)
    )
    return tuple(StuckGroup(*row) for row in rows)


def quarantined(tx: Tx, kind: str | None = None) -> tuple[Quarantined, ...]:
    """All, or those of a kind, the longest there first."""
    query = (
        select(
            work.c.account_id,
            account.c.username,
            work.c.quarantine_kind,
            work.c.quarantine_code,
            work.c.quarantine_reason,
            work.c.updated_at,
            work.c.quarantine_difference,
        )
        .join(account, account.c.id == work.c.account_id)
        .where(work.c.quarantine_kind.is_not(None))
        .order_by(work.c.updated_at, work.c.account_id)
    )
    rows = tx.connection.execute(query if kind is None else query.where(work.c.quarantine_kind == kind))
    return tuple(
        Quarantined(
            account_id=row.account_id,
            username=row.username,
            kind=row.quarantine_kind,
            code=row.quarantine_code,
            reason=row.quarantine_reason,
            since=row.updated_at,
            differences=row.quarantine_difference or (),
        )
        for row in rows
    )
