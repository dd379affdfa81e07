"""The example FSM database: its tables, and how it gives a work order to a technician.

`create` fills a database with the example company's work; the names are those of the shipped
field_service.toml. Run it as `python -m examples.fsm_database <SQLAlchemy URL>`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    select,
    update,
)

METADATA = MetaData()

TEAM = Table(
    "team",
    METADATA,
    Column("id", String(60), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("branch", String(60), nullable=False),
)

VEHICLE = Table(
    "vehicle",
    METADATA,
    Column("plate", String(20), primary_key=True),
    Column("model", String(60), nullable=False),
    Column("team", ForeignKey("team.id"), nullable=False),
)

TECHNICIAN = Table(
    "technician",
    METADATA,
    Column("id", String(20), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("team", ForeignKey("team.id")),
    Column("vehicle", ForeignKey("vehicle.plate")),
    Column("assignable", Boolean, nullable=False),
)

WORK_ORDER = Table(
    "work_order",
    METADATA,
    Column("id", String(20), primary_key=True),
    Column("number", String(20), nullable=False, unique=True),
    Column("status", String(30)),
    Column("customer", String(120), nullable=False),
    Column("task", String(200), nullable=False),
    Column("due_on", Date),
    Column("lead_technician", ForeignKey("technician.id"), index=True),
)

CREW = Table(
    "work_order_crew",
    METADATA,
    Column("work_order", ForeignKey("work_order.id"), primary_key=True),
    Column("technician", ForeignKey("technician.id"), primary_key=True, index=True),
)

APPOINTMENT = Table(
    "appointment",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("work_order", ForeignKey("work_order.id"), nullable=False),
    Column("technician", ForeignKey("technician.id"), nullable=False),
    Column("starts_at", DateTime, nullable=False),
    Column("minutes", Integer, nullable=False),
    Index("appointment_technician", "technician", "starts_at"),
)


ASSIGNMENT_STOP = Table(
    "assignment_stop",
    METADATA,
    Column("technician", ForeignKey("technician.id"), primary_key=True),
    Column("id", String(200), primary_key=True),
)
"""Who has stopped assignments over HTTP, each by an id of its own (`examples.fsm_server`). `technician.assignable`
stays the FSM system's own switch."""


class NotAssignable(Exception):
    """The technician may not be given work; nothing was changed."""


def engine_for(url: str) -> Engine:
    """An engine of the FSM system's own. On SQLite each transaction takes the write lock at once."""
    engine = create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def create(url: str, today: date | None = None) -> None:
    """Make the example database anew, whatever was in its tables before: the same content every time, with dates
    around `today` (without it the day that it is)."""
    from examples.fsm_content import content

    rows_of = content(today or datetime.now().astimezone().date())
    engine = engine_for(url)
    try:
        with engine.begin() as connection:
            METADATA.drop_all(connection)
            METADATA.create_all(connection)
            for table, rows in rows_of:
                connection.execute(insert(table), rows)
    finally:
        engine.dispose()


def assign(engine: Engine, work_order: str, technician: str) -> None:
    """Make a technician the lead of a work order, as an FSM system must do it for the gate to hold (D3).

    The technician's row is locked, `assignable` is read and the work order is given in one transaction: so the
    work is either there before the gate reads, or it is refused. Raises NotAssignable.
    """
    with assignable_technician(engine, technician) as connection:
        connection.execute(
            update(WORK_ORDER).where(WORK_ORDER.c.id == work_order).values(lead_technician=technician)
        )


@contextmanager
def assignable_technician(engine: Engine, technician: str) -> Iterator[Connection]:
    """A transaction in which the technician stays assignable until its end. Raises NotAssignable."""
    with engine.begin() as connection:
        assignable = connection.scalar(
            select(TECHNICIAN.c.assignable).where(TECHNICIAN.c.id == technician).with_for_update()
        )
        if not assignable or is_stopped(connection, technician):
            raise NotAssignable(f"technician {technician} cannot be given work")
        yield connection


def is_stopped(connection: Connection, technician: str) -> bool:
    """Whether anybody has stopped assignments. To be asked after the technician's row was locked."""
    stops = select(ASSIGNMENT_STOP.c.id).where(ASSIGNMENT_STOP.c.technician == technician)
    return connection.execute(stops.limit(1)).first() is not None


def _configure_sqlite(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def main(arguments: Sequence[str]) -> None:
    [url] = arguments
    create(url)


if __name__ == "__main__":
    main(sys.argv[1:])
