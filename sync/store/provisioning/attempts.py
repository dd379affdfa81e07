"""What workers did to an account in Keycloak: one row for each attempt that says something new (E6, H3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from sync.domain.drift.undone import Repair
from sync.domain.provisioning.change import AnyChange
from sync.domain.work.lane import Lane
from sync.store.database.batches import batches
from sync.store.database.ids import new_id
from sync.store.database.tables import Outcome
from sync.store.database.tables import attempt as attempts
from sync.store.database.tables import provisioning as work
from sync.store.database.transactions import Tx


@dataclass(frozen=True, slots=True)
class Attempt:
    """`version` is the wanted version that was worked on; `changes` are the changes made."""

    account_id: str
    version: int
    at: datetime
    lane: Lane
    outcome: Outcome
    changes: tuple[AnyChange, ...] = ()
    error: str | None = None

    def repeats(self, before: Attempt) -> bool:
        """True if it tells a reader nothing that the one before did not: the same outcome for the same
        version, nothing changed or after a failure the same again, and the same error or work orders in the
        way."""
        return (
            (not self.changes or (self.outcome == "retry" and self.changes == before.changes))
            and (self.version, self.outcome) == (before.version, before.outcome)
            and (self.outcome == "applied" or self.error == before.error)
        )


def record_all(tx: Tx, made: Sequence[Attempt]) -> None:
    """Keep each, at most one an account, unless it repeats the last one: a hold is looked at every minute, for
    weeks."""
    before = _last_of(tx, [each.account_id for each in made if not each.changes or each.outcome == "retry"])
    new = [each for each in made if each.account_id not in before or not each.repeats(before[each.account_id])]
    if new:
        tx.connection.execute(attempts.insert(), [_row(each) for each in new])


def repairs(tx: Tx, account_id: str, version: int, since: datetime) -> tuple[Repair, ...]:
    """When workers undid drift of what is wanted with this version, from that time on, the oldest first."""
    rows = tx.connection.execute(
        select(attempts.c.at, attempts.c.outcome, attempts.c.changes)
        .where(attempts.c.account_id == account_id, attempts.c.version == version)
        .order_by(attempts.c.at, attempts.c.id)
    ).all()
    first = next((row.at for row in rows if row.outcome == "applied"), None)
    return tuple(
        Repair(row.at, tuple(row.changes))
        for row in rows
        if first is not None and row.at > first and row.at >= since and row.changes
    )


def _last_of(tx: Tx, account_ids: Collection[str]) -> Mapping[str, Attempt]:
    other = attempts.alias()
    newest = (
        select(other.c.id)
        .where(other.c.account_id == work.c.account_id)
        .order_by(other.c.at.desc(), other.c.id.desc())
        .limit(1)
        .correlate(work)
        .scalar_subquery()
    )
    found: dict[str, Attempt] = {}
    for some in batches(account_ids):
        rows = tx.connection.execute(
            select(attempts)
            .select_from(work)
            .join(attempts, attempts.c.id == newest)
            .where(work.c.account_id.in_(some))
        )
        found.update(
            (
                row.account_id,
                Attempt(row.account_id, row.version, row.at, Lane(row.lane), row.outcome, row.changes, row.error),
            )
            for row in rows
        )
    return found


def _row(attempt: Attempt) -> dict[str, object]:
    return {
        "id": new_id(attempt.at),
        "account_id": attempt.account_id,
        "version": attempt.version,
        "at": attempt.at,
        "lane": attempt.lane.value,
        "outcome": attempt.outcome,
        "changes": attempt.changes,
        "error": attempt.error,
    }
