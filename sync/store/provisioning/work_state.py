"""Where the work stands, on one account and in each lane; nothing here changes anything (A8, H3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, select

from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import Difference
from sync.store.database.batches import batches
from sync.store.database.tables import provisioning as work
from sync.store.database.transactions import Tx


@dataclass(frozen=True, slots=True)
class WorkState:
    """The work on one account. Wanted and applied are never mixed (rule: wanted-is-not-observed).

    `due_at` None: nothing to do. `leased_until`: a worker is at it. `quarantine` is (kind, reason), `differences`
    what could not be made then. `waits` is (circuit or "configuration", reason) while something has to be mended.
    """

    wanted_version: int
    applied_version: int | None
    due_at: datetime | None
    leased_until: datetime | None
    attempts: int
    quarantine: tuple[str, str] | None
    held_work_orders: tuple[OpenWorkOrder, ...]
    differences: tuple[Difference, ...] = ()
    waits: tuple[str, str] | None = None

    @property
    def applied(self) -> bool:
        """True if Keycloak was last seen to be what is wanted now."""
        return self.applied_version == self.wanted_version


def of_account(tx: Tx, account_id: str) -> WorkState | None:
    row = tx.connection.execute(select(*COLUMNS).where(work.c.account_id == account_id)).mappings().one_or_none()
    return None if row is None else from_row(row)


def wanted_versions(tx: Tx, account_ids: Collection[str]) -> Mapping[str, int]:
    """Account id to the version now wanted: what a review pins (rule: approve-a-fingerprint)."""
    versions: dict[str, int] = {}
    for some in batches(account_ids):
        rows = tx.connection.execute(
            select(work.c.account_id, work.c.wanted_version).where(work.c.account_id.in_(some))
        )
        versions.update((row.account_id, row.wanted_version) for row in rows)
    return versions


COLUMNS = (
    work.c.wanted_version,
    work.c.applied_version,
    work.c.due_at,
    work.c.lease_until,
    work.c.attempts,
    work.c.quarantine_kind,
    work.c.quarantine_reason,
    work.c.held_work_orders,
    work.c.quarantine_difference,
    work.c.waits_for,
    work.c.waits_reason,
)


def from_row(row: RowMapping) -> WorkState:
    kind = row["quarantine_kind"]
    return WorkState(
        wanted_version=row["wanted_version"],
        applied_version=row["applied_version"],
        due_at=row["due_at"],
        leased_until=row["lease_until"],
        attempts=row["attempts"],
        quarantine=None if kind is None else (kind, row["quarantine_reason"]),
        held_work_orders=row["held_work_orders"] or (),
        differences=row["quarantine_difference"] or (),
        waits=None if row["waits_for"] is None else (row["waits_for"], row["waits_reason"]),
    )
