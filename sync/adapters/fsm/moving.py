"""Moves open work orders from one technician to another, in SQL (D5).

Where the other one is on the work order already, the place is freed instead of doubled. `sql` calls this in
its transaction, which has locked both technicians.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Table, delete, exists, select, update

from mappings.work_orders import WorkOrderPolicy
from sync.adapters.fsm.tables import Tables

_AT_ONCE = 500
"""Ids in one statement; both databases take far more, a technician rarely has as many."""


def move(
    connection: Connection,
    tables: Tables,
    policy: WorkOrderPolicy,
    work_orders: Sequence[str],
    source: str,
    to: str,
) -> None:
    """Give the work orders' lead, crew places and appointments, as far as the policy counts them."""
    for ids in _chunks(work_orders):
        if "lead" in policy.assignments:
            _move_lead(connection, tables, ids, source, to)
        if "crew" in policy.assignments:
            _move_crew(connection, tables, ids, source, to)
        if "appointment" in policy.assignments:
            _move_appointments(connection, tables.appointments, ids, source, to)


def _move_lead(connection: Connection, tables: Tables, ids: Sequence[str], source: str, to: str) -> None:
    """Whoever becomes lead leaves the crew."""
    orders, crew = tables.work_orders, tables.crew
    led = select(orders.c.id).where(orders.c.id.in_(ids), orders.c.lead == source)
    connection.execute(delete(crew).where(crew.c.technician.in_((source, to)), crew.c.work_order.in_(led)))
    connection.execute(update(orders).where(orders.c.id.in_(ids), orders.c.lead == source).values(lead=to))


def _move_crew(connection: Connection, tables: Tables, ids: Sequence[str], source: str, to: str) -> None:
    orders, crew = tables.work_orders, tables.crew
    other = crew.alias()
    mine = (crew.c.technician == source, crew.c.work_order.in_(ids))
    led = select(orders.c.id).where(orders.c.lead == to)
    in_crew = select(other.c.work_order).where(other.c.technician == to)
    connection.execute(delete(crew).where(*mine, crew.c.work_order.in_(led)))
    connection.execute(delete(crew).where(*mine, crew.c.work_order.in_(in_crew)))
    connection.execute(update(crew).where(*mine).values(technician=to))


def _move_appointments(
    connection: Connection, appointments: Table, ids: Sequence[str], source: str, to: str
) -> None:
    """Two appointments at different times are two visits; at the same time one person can keep only one."""
    other = appointments.alias()
    mine = (appointments.c.technician == source, appointments.c.work_order.in_(ids))
    same_visit = exists().where(
        other.c.technician == to,
        other.c.work_order == appointments.c.work_order,
        other.c.starts_at == appointments.c.starts_at,
    )
    connection.execute(delete(appointments).where(*mine, same_visit))
    connection.execute(update(appointments).where(*mine).values(technician=to))


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
