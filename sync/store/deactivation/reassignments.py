"""Work orders that shall go from one technician to another: asked for by doors, moved by workers (D5).

A claim is a lease like that of an account (`work.lease_rows`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, exists, null, select, update
from sqlalchemy.exc import IntegrityError

from sync.domain.access import cause
from sync.domain.access.cause import Cause
from sync.domain.access.granted import Granted
from sync.domain.access.scope import Scope
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import Problem, Refused
from sync.domain.work.claimed import ClaimedReassignment
from sync.domain.work.lane import Lane
from sync.store.database.ids import new_id
from sync.store.database.tables import OPEN_REASSIGNMENT, ReassignmentState
from sync.store.database.tables import reassignment as reassignments
from sync.store.database.transactions import Tx
from sync.store.work import lanes, lease_rows
from sync.store.work.lease_rows import ENDED, Lease, Terms, free, new_claim


@dataclass(frozen=True, slots=True)
class Reassignment:
    """`branch` is that of both technicians when it was asked for, None: it is the whole company's. `found` are the
    work orders that were about to be moved, `moved` those that were. `failure` is why the last try failed."""

    id: str
    technician_id: str
    to_technician_id: str
    state: ReassignmentState
    asked_at: datetime
    by: Cause
    attempts: int
    branch: str | None = None
    found: tuple[OpenWorkOrder, ...] = ()
    moved: tuple[OpenWorkOrder, ...] = ()
    failure: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state == "waiting"


@dataclass(frozen=True, slots=True)
class ReassignmentClaim:
    reassignment: Reassignment
    lease: Lease[ClaimedReassignment] = field(compare=False)


_COLUMNS = (
    reassignments.c.id,
    reassignments.c.technician_id,
    reassignments.c.to_technician_id,
    reassignments.c.state,
    reassignments.c.asked_at,
    reassignments.c.cause,
    reassignments.c.attempts,
    reassignments.c.branch,
    reassignments.c.found,
    reassignments.c.moved,
    reassignments.c.failure,
)


def ask(
    tx: Tx, granted: Granted, technician_id: str, to: str, now: datetime, *, branch: str | None = None
) -> Reassignment:
    """One that waits already is the same wish. Raises Refused if they are on their way to somebody else."""
    wanted = Reassignment(new_id(now), technician_id, to, "waiting", now, granted.by, attempts=0, branch=branch)
    try:
        with tx.connection.begin_nested():
            tx.connection.execute(
                reassignments.insert().values(
                    id=wanted.id,
                    technician_id=technician_id,
                    to_technician_id=to,
                    branch=branch,
                    state="waiting",
                    asked_at=now,
                    cause=cause.record(granted.by),
                    due_at=now,
                    attempts=0,
                    found=(),
                    moved=(),
                )
            )
    except IntegrityError:
        waits = select(*_COLUMNS).where(OPEN_REASSIGNMENT, reassignments.c.technician_id == technician_id)
        found = _from_row(tx.connection.execute(tx.locking(waits)).mappings().one())
        if found.to_technician_id != to:
            what = f"{found.to_technician_id} is being given these work orders already"
            raise Refused([Problem("to", what, "wait until it is done, or see fsm-identity ops status")]) from None
        return found
    return wanted


def get(tx: Tx, reassignment_id: str) -> Reassignment | None:
    found = select(*_COLUMNS).where(reassignments.c.id == reassignment_id)
    row = tx.connection.execute(found).mappings().one_or_none()
    return None if row is None else _from_row(row)


def waiting(tx: Tx) -> tuple[Reassignment, ...]:
    """Those that are not done yet, the oldest first."""
    rows = tx.connection.execute(select(*_COLUMNS).where(OPEN_REASSIGNMENT).order_by(reassignments.c.id))
    return tuple(_from_row(row) for row in rows.mappings())


def recent(tx: Tx, scope: Scope, limit: int | None) -> tuple[Reassignment, ...]:
    """The newest first, ended or not; None: all of them."""
    query = select(*_COLUMNS).order_by(reassignments.c.id.desc()).limit(limit)
    if not scope.everything:
        query = query.where(reassignments.c.branch == scope.branch)
    return tuple(_from_row(row) for row in tx.connection.execute(query).mappings())


def any_due(tx: Tx, now: datetime) -> bool:
    return bool(tx.connection.scalar(select(exists().where(*_claimable(now)))))


def claim(tx: Tx, terms: Terms) -> ReassignmentClaim | None:
    """The one that is due the longest and that nobody is at."""
    chosen = (
        select(reassignments.c.id)
        .where(*_claimable(terms.now), lanes.running(Lane.INTERACTIVE))
        .order_by(reassignments.c.due_at, reassignments.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    taken = tx.connection.execute(
        update(reassignments)
        .where(reassignments.c.id.in_(select(chosen.c.id)))
        .values(new_claim(terms))
        .returning(*_COLUMNS, reassignments.c.lease_token, reassignments.c.lease_until)
    )
    row = taken.mappings().one_or_none()
    if row is None:
        return None
    return ReassignmentClaim(
        _from_row(row),
        Lease[ClaimedReassignment](reassignments.c.id, row["id"], row["lease_token"], row["lease_until"]),
    )


def about_to_move(tx: Tx, claim: ReassignmentClaim, found: Sequence[OpenWorkOrder]) -> ClaimedReassignment | None:
    """Before the FSM system is told. None: the lease was lost, move nothing."""
    return lease_rows.write(tx, claim.lease, {"found": tuple(found)})


def done(
    tx: Tx, claim: ReassignmentClaim, moved: Sequence[OpenWorkOrder], now: datetime
) -> ClaimedReassignment | None:
    """None: the lease was lost, somebody else writes it down."""
    ended = {"state": "done", "moved": tuple(moved), "failure": null(), "finished_at": now}
    return lease_rows.write(tx, claim.lease, ENDED | ended)


def failed(tx: Tx, claim: ReassignmentClaim, failure: str, now: datetime) -> ClaimedReassignment | None:
    """For good: a person has to ask for something else."""
    return lease_rows.write(tx, claim.lease, ENDED | {"state": "failed", "failure": failure, "finished_at": now})


def put_off(
    tx: Tx, claim: ReassignmentClaim, failure: str, until: datetime, attempts: int
) -> ClaimedReassignment | None:
    return lease_rows.write(tx, claim.lease, ENDED | {"failure": failure, "due_at": until, "attempts": attempts})


def _claimable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return OPEN_REASSIGNMENT, reassignments.c.due_at <= now, free(reassignments, now)


def _from_row(values: RowMapping) -> Reassignment:
    return Reassignment(
        id=values["id"],
        technician_id=values["technician_id"],
        to_technician_id=values["to_technician_id"],
        state=values["state"],
        asked_at=values["asked_at"],
        by=cause.from_record(values["cause"]),
        attempts=values["attempts"],
        branch=values["branch"],
        found=values["found"],
        moved=values["moved"],
        failure=values["failure"],
    )
