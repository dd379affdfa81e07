"""Deactivations, and changes that take the technician from somebody who stays, from the request to the end; and
the work orders that forced ones left behind (D1-D5).

Commands request and cancel, workers hold, complete and refuse. Nothing here decides: see
`sync.domain.deactivation.gate`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Label, RowMapping, Select, func, literal, select, update
from sqlalchemy.exc import IntegrityError

from sync.domain.access import cause
from sync.domain.access.granted import GrantedAccount
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import from_plain, plain
from sync.domain.deactivation.gate import GatePolicy, OpenWorkOrder
from sync.domain.deactivation.request import DeactivationState, OpenDeactivation, TechnicianChange
from sync.domain.errors import Problem, Refused
from sync.domain.work.claimed import ClaimedAccount, ClaimedReassignment
from sync.store.accounts.rows import COLUMNS, from_row
from sync.store.database.batches import batches
from sync.store.database.columns import UtcDateTime
from sync.store.database.ids import new_id
from sync.store.database.tables import OPEN_DEACTIVATION, STRANDED, account, stranded_work_order
from sync.store.database.tables import deactivation as deactivations
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert


def request(
    tx: Tx,
    granted: GrantedAccount,
    *,
    policy: GatePolicy,
    deadline: datetime | None,
    after_deadline: str,
    now: datetime,
    change: TechnicianChange | None = None,
) -> OpenDeactivation:
    """Open a deactivation, or a change that takes the technician. Raises Refused if one is open already."""
    account_id = granted.after.id
    wanted = OpenDeactivation(
        id=new_id(now),
        account_id=account_id,
        policy=policy,
        state=DeactivationState.REQUESTED,
        requested_at=now,
        by=granted.by,
        deadline=deadline,
        after_deadline=after_deadline,
        change=change,
    )
    try:
        with tx.connection.begin_nested():
            tx.connection.execute(
                deactivations.insert().values(
                    {
                        "id": wanted.id,
                        "account_id": account_id,
                        "policy": policy.value,
                        "state": wanted.state.value,
                        "requested_at": now,
                        "cause": cause.record(granted.by),
                        "deadline": deadline,
                        "after_deadline": after_deadline,
                        "work_orders": (),
                        "change": None if change is None else _change_record(change),
                    }
                )
            )
    except IntegrityError:
        if open_for(tx, account_id) is None:
            raise
        raise Refused(
            [Problem("", "a deactivation of this account is open already", "cancel it, or let it complete")]
        ) from None
    return wanted


def open_for(tx: Tx, account_id: str) -> OpenDeactivation | None:
    return open_for_many(tx, [account_id]).get(account_id)


def open_for_many(tx: Tx, account_ids: Collection[str]) -> Mapping[str, OpenDeactivation]:
    """Account id to its open deactivation."""
    rows = tx.connection.execute(
        select(deactivations).where(deactivations.c.account_id.in_(sorted(account_ids)), OPEN_DEACTIVATION)
    )
    return {row["account_id"]: _deactivation(row) for row in rows.mappings()}


def last_completed(tx: Tx, account_id: str) -> GatePolicy | None:
    """The policy of the deactivation that ended the account's access last; None: there was none."""
    policy = tx.connection.scalar(
        select(deactivations.c.policy)
        .where(
            deactivations.c.account_id == account_id,
            deactivations.c.state == DeactivationState.COMPLETED.value,
            deactivations.c.change.is_(None),
        )
        .order_by(deactivations.c.finished_at.desc(), deactivations.c.id.desc())
        .limit(1)
    )
    return None if policy is None else GatePolicy(policy)


def newest_state(tx: Tx, account_id: str) -> DeactivationState | None:
    """What became of the one that was asked for last; None: nobody has."""
    state = tx.connection.scalar(
        select(deactivations.c.state)
        .where(deactivations.c.account_id == account_id)
        .order_by(deactivations.c.id.desc())
        .limit(1)
    )
    return None if state is None else DeactivationState(state)


def hold(
    tx: Tx, claimed: ClaimedAccount, deactivation_id: str, work_orders: Sequence[OpenWorkOrder], now: datetime
) -> bool:
    """Keep which work orders stand in the way. False: it is not open any more."""
    since = func.coalesce(deactivations.c.held_at, literal(now, UtcDateTime()))
    values = {"work_orders": tuple(work_orders), "held_at": since}
    return _move(tx, claimed.row, deactivation_id, DeactivationState.HELD, values)


def refuse(
    tx: Tx, claimed: ClaimedAccount, deactivation_id: str, work_orders: Sequence[OpenWorkOrder], now: datetime
) -> bool:
    """The gate said no. False: it is not open any more."""
    values = {"work_orders": tuple(work_orders), "finished_at": now}
    return _move(tx, claimed.row, deactivation_id, DeactivationState.REFUSED, values)


def complete(tx: Tx, claimed: ClaimedAccount, deactivation_id: str, now: datetime) -> bool:
    """Keycloak is as wanted. False: it is not open any more."""
    return _move(tx, claimed.row, deactivation_id, DeactivationState.COMPLETED, {"finished_at": now})


def cancel(tx: Tx, deactivation_id: str, granted: GrantedAccount, now: datetime) -> bool:
    """Somebody called it off or asked for another one. False: it is not open any more, or another account's."""
    return _move(tx, granted.after.id, deactivation_id, DeactivationState.CANCELLED, {"finished_at": now})


@dataclass(frozen=True, slots=True)
class HeldDeactivation:
    """`deactivation.work_orders` are what stands in the way; `held_at` is when it was first held."""

    account: Account
    deactivation: OpenDeactivation
    held_at: datetime


def list_held(tx: Tx, scope: Scope) -> tuple[HeldDeactivation, ...]:
    """Every deactivation that is held, the longest held first."""
    query = (
        _within(select(*_labelled(), *COLUMNS), scope)
        .join(deactivations, deactivations.c.account_id == account.c.id)
        .where(deactivations.c.state == DeactivationState.HELD.value)
        .order_by(deactivations.c.held_at, deactivations.c.id)
    )
    return tuple(
        HeldDeactivation(from_row(row), _deactivation(row, prefix=PREFIX), row[f"{PREFIX}held_at"])
        for row in tx.connection.execute(query).mappings()
    )


@dataclass(frozen=True, slots=True)
class Stranded:
    """A work order that needs another technician, and whose it was."""

    technician_id: str
    account: Account
    work_order: OpenWorkOrder
    found_at: datetime


def strand(
    tx: Tx, claimed: ClaimedAccount, technician_id: str, work_orders: Sequence[OpenWorkOrder], now: datetime
) -> None:
    """Put these on the list of what needs another technician. Idempotent; one that comes back is open again."""
    for each in work_orders:
        seen = {
            "account_id": claimed.row,
            "status": each.status,
            "customer": each.customer,
            "date": each.date,
            "holds": each.holds,
            "resolved_at": None,
        }
        row = {"technician_id": technician_id, "number": each.number, "found_at": now} | seen
        tx.connection.execute(upsert(tx, stranded_work_order, row, changes=seen))


def stranded(tx: Tx, scope: Scope) -> tuple[Stranded, ...]:
    """Everything on that list, by technician and number."""
    orders = stranded_work_order.c
    query = (
        _within(
            select(
                orders.technician_id.label("stranded_technician_id"),
                orders.number,
                orders.status,
                orders.customer,
                orders.date,
                orders.holds,
                orders.found_at,
                *COLUMNS,
            ),
            scope,
        )
        .join(stranded_work_order, orders.account_id == account.c.id)
        .where(STRANDED)
        .order_by(orders.technician_id, orders.number)
    )
    return tuple(
        Stranded(
            technician_id=row["stranded_technician_id"],
            account=from_row(row),
            work_order=OpenWorkOrder(row["number"], row["status"], row["customer"], row["date"], row["holds"]),
            found_at=row["found_at"],
        )
        for row in tx.connection.execute(query).mappings()
    )


def resolve_stranded(
    tx: Tx, technicians: Mapping[ClaimedAccount, str] | Mapping[ClaimedReassignment, str], now: datetime
) -> int:
    """Take everything of the technicians off the list, by the work that gave them to somebody. Returns how much
    was on it."""
    return sum(
        tx.connection.execute(
            update(stranded_work_order)
            .where(stranded_work_order.c.technician_id.in_(some), STRANDED)
            .values(resolved_at=now)
        ).rowcount
        for some in batches(sorted(set(technicians.values())))
    )


PREFIX = "deactivation_"


def _labelled() -> list[Label[Any]]:
    return [column.label(f"{PREFIX}{column.name}") for column in deactivations.c]


def _within(query: Select[Any], scope: Scope) -> Select[Any]:
    base = query.select_from(account)
    return base if scope.everything else base.where(account.c.branch == scope.branch)


def _deactivation(row: RowMapping, *, prefix: str = "") -> OpenDeactivation:
    return OpenDeactivation(
        id=row[f"{prefix}id"],
        account_id=row[f"{prefix}account_id"],
        policy=GatePolicy(row[f"{prefix}policy"]),
        state=DeactivationState(row[f"{prefix}state"]),
        requested_at=row[f"{prefix}requested_at"],
        by=cause.from_record(row[f"{prefix}cause"]),
        deadline=row[f"{prefix}deadline"],
        after_deadline=row[f"{prefix}after_deadline"],
        work_orders=row[f"{prefix}work_orders"],
        change=None if row[f"{prefix}change"] is None else _change(row[f"{prefix}change"]),
    )


def _change_record(change: TechnicianChange) -> dict[str, Any]:
    pairs = {name: [plain(value) for value in pair] for name, pair in sorted(change.changed.items())}
    return {"technician_id": change.technician_id, "changed": pairs}


def _change(record: Mapping[str, Any]) -> TechnicianChange:
    pairs = {
        name: (from_plain(name, before), from_plain(name, after))
        for name, (before, after) in record["changed"].items()
    }
    return TechnicianChange(record["technician_id"], pairs)


def _move(
    tx: Tx, account_id: str, deactivation_id: str, state: DeactivationState, values: Mapping[str, object]
) -> bool:
    its = deactivations.c.account_id == account_id
    moved = tx.connection.execute(
        update(deactivations)
        .where(its, deactivations.c.id == deactivation_id, OPEN_DEACTIVATION)
        .values({"state": state.value, **values})
    )
    return moved.rowcount == 1
