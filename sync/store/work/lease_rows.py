"""What a lease is in a row: the same columns and rules for accounts, mails, reassignments and the schedule (H1).

A claim is a lease with a token. Whoever writes with a token that is no longer the row's own writes nothing
(rule: the-lease-fences-our-row). Nobody claims a row that has one: `take_over` takes it away from a holder that
let it run out or has fallen silent, and the row can be claimed one request's time later, when nothing that this
holder sent can be on its way any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar, cast
from uuid import uuid4

from sqlalchemy import Column, ColumnElement, Table, and_, exists, null, or_, select, update

from sync.domain.work.claimed import ClaimedAccount, ClaimedJob, ClaimedMail, ClaimedReassignment, StillClaimed
from sync.domain.work.lease import LEASE, SILENT_AFTER
from sync.store.database.tables import mail, process, provisioning, reassignment, schedule
from sync.store.database.transactions import Tx


@dataclass(frozen=True, slots=True)
class Terms:
    """On which something is claimed: now, for so long, by this process. `holder` is one that gives signs of life;
    None: it gives none, and its leases only run out."""

    now: datetime
    holder: str | None = None
    lease: timedelta = LEASE


K = TypeVar("K", bound=StillClaimed)


@dataclass(slots=True)
class Lease(Generic[K]):
    """The hold on one row, of the kind that proves it. `until` moves on as its holder extends it."""

    key: Column[Any]
    id: str
    token: str = field(repr=False)
    until: datetime


_LEASED: Final[Mapping[str, Column[Any]]] = {
    each.table.name: each for each in (provisioning.c.account_id, mail.c.id, reassignment.c.id, schedule.c.name)
}
"""Every table with claimed work, and what a row is called in it."""

GIVEN_BACK: Final = {"lease_token": null(), "lease_until": null(), "held_by": null()}
"""With nothing done: workers that ended over it before are still counted."""

ENDED: Final = {**GIVEN_BACK, "takeovers": 0}
"""Something came of it, so whoever ended over it before is forgotten."""


def new_claim(terms: Terms) -> dict[str, object]:
    """What a claim writes: one token for all rows that it takes."""
    return {"lease_token": str(uuid4()), "lease_until": terms.now + terms.lease, "held_by": terms.holder}


def free(table: Table, now: datetime) -> ColumnElement[bool]:
    """Nobody is at it, and nothing of whoever was at it can be on its way."""
    return and_(table.c.lease_token.is_(None), or_(table.c.lease_until.is_(None), table.c.lease_until <= now))


class _FromLock:
    @property
    def from_lock(self) -> bool:
        return True


class _ClaimedAccount(_FromLock, ClaimedAccount): ...


class _ClaimedMail(_FromLock, ClaimedMail): ...


class _ClaimedReassignment(_FromLock, ClaimedReassignment): ...


class _ClaimedJob(_FromLock, ClaimedJob): ...


_PROOFS: Final[Mapping[str, type[StillClaimed]]] = {
    provisioning.name: _ClaimedAccount,
    mail.name: _ClaimedMail,
    reassignment.name: _ClaimedReassignment,
    schedule.name: _ClaimedJob,
}


def _proof(lease: Lease[K], row: str) -> K:
    return cast(K, _PROOFS[lease.key.table.name](row))


def still_claimed(tx: Tx, lease: Lease[K]) -> K | None:
    """None: the lease was lost, somebody else may be at work on the row. Raises ValueError in a transaction that
    only reads: it locks nothing."""
    if not tx.writing:
        raise ValueError("nothing stays claimed for whoever only reads")
    row = select(lease.key).where(_ours([lease]))
    return None if tx.connection.execute(tx.locking(row)).one_or_none() is None else _proof(lease, lease.id)


def write(tx: Tx, lease: Lease[K], values: Mapping[str, object]) -> K | None:
    """Write into the row. None: the lease was lost, and nothing was written."""
    return write_all(tx, [lease], values).get(lease.id)


def write_all(tx: Tx, leases: Sequence[Lease[K]], values: Mapping[str, object]) -> Mapping[str, K]:
    """Write the same into rows that were claimed together. Returns those that were written, by id: the leases of
    the others were lost."""
    key = leases[0].key
    changed = update(key.table).where(_ours(leases)).values(values).returning(key)
    return {row: _proof(leases[0], row) for row in tx.connection.execute(changed).scalars()}


def _ours(leases: Sequence[Lease[K]]) -> ColumnElement[bool]:
    """Raises ValueError for leases of different claims, whose tokens differ."""
    ((key, token),) = {(lease.key, lease.token) for lease in leases}
    return and_(key.in_(sorted(lease.id for lease in leases)), key.table.c.lease_token == token)


def extend(tx: Tx, lease: Lease[K], until: datetime) -> bool:
    """Keep the row until then. False: the lease was lost."""
    return write(tx, lease, {"lease_until": until}) is not None


def take_over(tx: Tx, now: datetime, request: timedelta) -> int:
    """Take rows away from holders that let their leases run out or fell silent; they can be claimed after
    `request`, the longest that one request of such a holder can take. Returns how many were taken away.

    What was claimed or kept within SILENT_AFTER stays: its holder lived then, and may send without asking until
    that is over. Rows that somebody is writing just now are left for the next time.
    """
    return sum(_take_over(tx, key, now, request) for key in _LEASED.values())


def _take_over(tx: Tx, key: Column[Any], now: datetime, request: timedelta) -> int:
    table = key.table
    signed = exists().where(process.c.id == table.c.held_by, process.c.seen_at > now - SILENT_AFTER)
    asks_nobody_yet = table.c.lease_until > now + LEASE - SILENT_AFTER
    silent = and_(table.c.held_by.is_not(None), ~signed, ~asks_nobody_yet)
    lost = (
        select(key)
        .where(table.c.lease_token.is_not(None), or_(table.c.lease_until <= now, silent))
        .with_for_update(skip_locked=True)
        .cte("lost")
    )
    taken_away = (
        update(table)
        .where(key.in_(select(lost.c[0])))
        .values(**GIVEN_BACK | {"lease_until": now + request, "takeovers": table.c.takeovers + 1})
        .returning(key)
    )
    return len(tx.connection.execute(taken_away).all())
