"""How far a run is: its rows by result, and what it changed by how far Keycloak has followed (F4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import Executable, case, func, select

from sync.store.database.tables import provisioning as work
from sync.store.database.tables import run as runs
from sync.store.database.tables import run_row as rows
from sync.store.database.transactions import Tx

Place = Literal["in Keycloak", "waiting", "held", "quarantined"]
"""Where an applied row is: Keycloak has it, a worker will look, open work orders hold it, or it needs a person."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`pending` rows wait to be applied to our database; `applied` ones are counted once more in `places`."""

    state: str
    pending: int
    applied: int
    refused: int
    places: Mapping[Place, int]

    @property
    def total(self) -> int:
        return self.pending + self.applied + self.refused

    @property
    def settled(self) -> int:
        """Rows that nothing more will happen to by itself soon."""
        return self.refused + self.applied - self.places["waiting"]

    @property
    def finished(self) -> bool:
        """The run has ended and every row of it is in Keycloak, held, quarantined or refused."""
        return self.state in {"done", "cancelled", "refused"} and self.places["waiting"] == 0


_PLACE = case(
    (work.c.applied_version >= rows.c.applied_version, "in Keycloak"),
    (work.c.quarantine_kind.is_not(None), "quarantined"),
    (work.c.held_work_orders.is_not(None), "held"),
    else_="waiting",
)


def progress(tx: Tx, run_id: str) -> Progress:
    """Counted by the database, whatever the size of the run."""
    state = tx.connection.scalar(select(runs.c.state).where(runs.c.id == run_id))
    by_result = _counted(
        tx,
        select(func.coalesce(rows.c.result, "pending"), func.count())
        .where(rows.c.run_id == run_id, rows.c.verdict.in_(("create", "update")))
        .group_by(rows.c.result),
    )
    by_place = _counted(
        tx,
        select(_PLACE, func.count())
        .select_from(rows)
        .join(work, work.c.account_id == rows.c.account_id)
        .where(rows.c.run_id == run_id, rows.c.result == "applied")
        .group_by(_PLACE),
    )
    return Progress(
        state=str(state),
        pending=by_result.get("pending", 0),
        applied=by_result.get("applied", 0),
        refused=by_result.get("refused", 0) + by_result.get("failed", 0),
        places={place: by_place.get(place, 0) for place in get_args(Place)},
    )


def _counted(tx: Tx, query: Executable) -> Mapping[str, int]:
    return {row[0]: row[1] for row in tx.connection.execute(query)}


def places(tx: Tx, run_id: str, between: tuple[int, int] | None = None) -> Mapping[int, tuple[Place, str | None]]:
    """For each applied row: where it is, and the reason if it is in quarantine. `between`: only of rows with these
    numbers, both included."""
    query = (
        select(rows.c.number, _PLACE.label("place"), work.c.quarantine_reason)
        .select_from(rows)
        .join(work, work.c.account_id == rows.c.account_id)
        .where(rows.c.run_id == run_id, rows.c.result == "applied")
    )
    if between is not None:
        query = query.where(rows.c.number.between(*between))
    return {row.number: (row.place, row.quarantine_reason) for row in tx.connection.execute(query)}
