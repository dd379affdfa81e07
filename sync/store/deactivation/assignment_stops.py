"""Technicians whom we stopped from getting new work. A stop of the FSM system's own is not in here and is
never undone by us (rule: ask-the-gate)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select

from sync.domain.work.claimed import ClaimedAccount
from sync.store.database.batches import batches
from sync.store.database.tables import assignment_stop
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert


def remember(tx: Tx, technician_id: str, account_id: str, now: datetime) -> None:
    """Write it down before the FSM system is told. Idempotent: the first time stays."""
    row = {"technician_id": technician_id, "account_id": account_id, "stopped_at": now}
    tx.connection.execute(upsert(tx, assignment_stop, row, changes={"account_id": account_id}))


def ours(tx: Tx, technician_ids: Collection[str]) -> frozenset[str]:
    """Those of the technicians whom we stopped."""
    return frozenset(
        technician_id
        for some in batches(technician_ids)
        for technician_id in tx.connection.scalars(
            select(assignment_stop.c.technician_id).where(assignment_stop.c.technician_id.in_(some))
        )
    )


def whose(tx: Tx, technician_id: str) -> str | None:
    """The account that we stopped this technician for. None: we did not."""
    mine = assignment_stop.c.technician_id == technician_id
    return tx.connection.scalar(select(assignment_stop.c.account_id).where(mine))


def of_account(tx: Tx, account_id: str) -> frozenset[str]:
    """The technicians whom we stopped when this account was about to lose them."""
    mine = assignment_stop.c.account_id == account_id
    return frozenset(tx.connection.scalars(select(assignment_stop.c.technician_id).where(mine)))


def forget(tx: Tx, _claimed: ClaimedAccount, technician_id: str) -> None:
    """After the FSM system allows assignments again."""
    tx.connection.execute(delete(assignment_stop).where(assignment_stop.c.technician_id == technician_id))
