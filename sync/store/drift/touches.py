"""What others did to users of ours in Keycloak, and who, as far as Keycloak's events tell (G4): for the timeline
of a repair. Kept where a difference or a repair came of it; the rest is forgotten again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select

from sync.domain.drift.touches import Part, Touch, whom
from sync.domain.work.claimed import ClaimedJob
from sync.store.database.batches import batches
from sync.store.database.tables import attempt, drift
from sync.store.database.tables import touch as table
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert_all
from sync.store.drift.findings import Finding

CLOCKS = timedelta(seconds=5)
"""Keycloak's clock is known to the second, and a request takes its time."""


@dataclass(frozen=True, slots=True)
class NewTouch:
    event_id: str
    account_id: str
    touch: Touch


def keep(tx: Tx, _claimed: ClaimedJob, new: Sequence[NewTouch]) -> None:
    """One that is read again is the same."""
    rows = [
        {
            "event_id": each.event_id,
            "account_id": each.account_id,
            "at": each.touch.at,
            "part": each.touch.part.value,
            "who": each.touch.who,
            "by_program": each.touch.by_program,
        }
        for each in sorted(new, key=lambda each: (each.account_id, each.event_id))
    ]
    upsert_all(tx, table, rows)


def forget(
    tx: Tx, _claimed: ClaimedJob, before: datetime, judged: Collection[str] | None, but: Collection[str]
) -> None:
    """Those until that time of which nothing came: looked at since, the account was as wanted. `judged` None: all
    accounts were looked at, `but` these were not."""
    over = and_(table.c.at <= before, ~_came_of_it())
    for some in [None] if judged is None else batches(judged):
        accounts = over if some is None else and_(over, table.c.account_id.in_(some))
        ended = tx.connection.execute(select(table.c.event_id, table.c.account_id).where(accounts)).all()
        for ids in batches(row.event_id for row in ended if row.account_id not in but):
            tx.connection.execute(delete(table).where(table.c.event_id.in_(ids)))


def of_account(tx: Tx, account_id: str) -> tuple[Touch, ...]:
    """The oldest first."""
    rows = tx.connection.execute(select(table).where(table.c.account_id == account_id).order_by(table.c.at))
    return tuple(Touch(row.at, Part(row.part), row.who, row.by_program) for row in rows)


def behind(tx: Tx, finding: Finding) -> tuple[Touch, ...]:
    """Who may have made it differ, since workers were at the account last. Empty: nobody knows."""
    account_id = finding.subject.account_id
    if account_id is None:
        return ()
    last = tx.connection.scalar(
        select(attempt.c.at)
        .where(attempt.c.account_id == account_id, attempt.c.at < finding.first_seen_at)
        .order_by(attempt.c.at.desc())
        .limit(1)
    )
    return whom(of_account(tx, account_id), [finding.attribute], last, finding.last_seen_at + CLOCKS)


def _came_of_it() -> ColumnElement[bool]:
    """A difference was found after it, or a worker changed something."""
    return or_(
        exists().where(drift.c.account_id == table.c.account_id, drift.c.last_seen_at >= table.c.at),
        exists().where(attempt.c.account_id == table.c.account_id, attempt.c.at >= table.c.at),
    )
