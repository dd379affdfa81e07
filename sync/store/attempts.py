"""What workers did to an account in Keycloak: one row for each attempt that says something new (E6, H3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from sync.domain.lane import Lane
from sync.store.database import Tx
from sync.store.ids import new_id
from sync.store.tables import Outcome
from sync.store.tables import attempt as attempts


@dataclass(frozen=True, slots=True)
class Attempt:
    """`version` is the wanted version that was worked on; `changes` are the changes made, as text."""

    account_id: str
    version: int
    at: datetime
    lane: Lane
    outcome: Outcome
    changes: tuple[str, ...] = ()
    error: str | None = None

    def repeats(self, before: Attempt) -> bool:
        """True if it tells a reader nothing that the one before did not: the same outcome for the same
        version, nothing changed, and the same error or work orders in the way."""
        return (
            not self.changes
            and (self.version, self.outcome) == (before.version, before.outcome)
            and (self.outcome == "applied" or self.error == before.error)
        )


def record(tx: Tx, attempt: Attempt) -> bool:
    """Keep it unless it repeats the last one: a hold is looked at every minute, for weeks. False: not kept."""
    last = tx.connection.execute(
        select(attempts)
        .where(attempts.c.account_id == attempt.account_id)
        .order_by(attempts.c.at.desc(), attempts.c.id.desc())
        .limit(1)
    ).one_or_none()
    if last is not None and attempt.repeats(
        Attempt(last.account_id, last.version, last.at, Lane(last.lane), last.outcome, last.changes, last.error)
    ):
        return False
    tx.connection.execute(
        attempts.insert().values(
            {
                "id": new_id(attempt.at),
                "account_id": attempt.account_id,
                "version": attempt.version,
                "at": attempt.at,
                "lane": attempt.lane.value,
                "outcome": attempt.outcome,
                "changes": attempt.changes,
                "error": attempt.error,
            }
        )
    )
    return True
