"""Which open work orders a technician holds, and as what: lead, crew or appointment (D1, D2)."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Row, Select, func, literal, or_, select, union_all

from mappings.work_orders import ASSIGNMENTS, WorkOrderPolicy
from sync.adapters.fsm.tables import Tables
from sync.domain.deactivation.gate import OpenWorkOrder

NO_STATUS = "no status"


@dataclass(frozen=True, slots=True)
class Holding:
    """`id` is what crew and appointments refer to; people know only the work order's number."""

    id: str
    work_order: OpenWorkOrder


def open_holdings(
    connection: Connection, tables: Tables, policy: WorkOrderPolicy, technician_id: str
) -> list[Holding]:
    """Every open work order the technician holds, each once, ordered by number.

    The database leaves out what is plainly closed; the policy has the last word on the rest, so that whatever
    a database makes of case or blanks, a status nobody listed stays open.
    """
    rows: dict[str, list[Row[tuple[object, ...]]]] = {}
    for row in connection.execute(_held(tables, policy, technician_id)):
        if policy.is_open(_status(row.status)):
            rows.setdefault(str(row.id), []).append(row)
    holdings = [Holding(id_, _work_order(found)) for id_, found in rows.items()]
    return sorted(holdings, key=lambda holding: holding.work_order.number)


def _work_order(rows: Sequence[Row[tuple[object, ...]]]) -> OpenWorkOrder:
    """The rows of one work order differ only in how it is held."""
    holds = {row.holds for row in rows}
    row = rows[0]
    return OpenWorkOrder(
        number=str(row.number),
        status=_status(row.status),
        customer=str(row.customer or ""),
        date=_date(row.date),
        holds=tuple(each for each in ASSIGNMENTS if each in holds),
    )


def _held(tables: Tables, policy: WorkOrderPolicy, technician_id: str) -> Select[tuple[object, ...]]:
    ways = {
        "lead": (tables.work_orders.c.id, tables.work_orders.c.lead),
        "crew": (tables.crew.c.work_order, tables.crew.c.technician),
        "appointment": (tables.appointments.c.work_order, tables.appointments.c.technician),
    }
    held = union_all(
        *(
            select(order.label("work_order"), literal(way).label("holds")).where(technician == technician_id)
            for way, (order, technician) in ways.items()
            if way in policy.assignments
        )
    ).subquery()
    orders = tables.work_orders.c
    plainly_closed = func.lower(func.trim(orders.status)).in_(sorted(policy.closed_statuses))
    return (
        select(orders.id, orders.number, orders.status, orders.customer, orders.date, held.c.holds)
        .join_from(tables.work_orders, held, held.c.work_order == orders.id)
        .where(or_(orders.status.is_(None), ~plainly_closed))
    )


def _status(value: object) -> str:
    return NO_STATUS if value is None else str(value)


def _date(value: object) -> date | None:
    """The day of what a database answers for a date: a date, a time, or its ISO text (SQLite). It is only told to
    people, so one that cannot be read is left out and the work order stays open."""
    match value:
        case datetime():
            return value.date()
        case date():
            return value
        case str():
            with contextlib.suppress(ValueError):
                return date.fromisoformat(value.strip()[:10])
    return None
