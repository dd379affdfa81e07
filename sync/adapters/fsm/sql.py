"""The FSM system as a SQL database: the FieldService port on tables whose names are configured.

It reads technicians and work orders and writes who has them, nothing else. That a technician gets no work
while `assignable` is false is the FSM system's to keep: it must look in the transaction that gives the work
(D3; the example database shows how).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Row, false, select, update
from sqlalchemy.exc import SQLAlchemyError

from mappings.field_service import FieldServiceSchema
from mappings.work_orders import WorkOrderPolicy
from sync.adapters.fsm.engine import WRITING, failure_of, make_engine, parse, place
from sync.adapters.fsm.holdings import open_holdings
from sync.adapters.fsm.moving import move
from sync.adapters.fsm.tables import tables_of
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import FailureCode, NeedsPerson
from sync.ports.field_service import Technician
from sync.ports.lease import before_request


class SqlFieldService:
    """Connects at the first call in each process, so one may be made before a fork.

    Every method raises Transient if the database cannot be asked, Misconfigured if it is not the one that
    field_service.toml describes or refuses our login. No message holds the password.
    """

    def __init__(self, url: str, schema: FieldServiceSchema, policy: WorkOrderPolicy) -> None:
        """Opens nothing. Raises Misconfigured if the URL cannot be used."""
        self._url = parse(url)
        self._where = place(self._url)
        self._tables = tables_of(schema)
        self._policy = policy
        self._engine: Engine | None = None
        self._process: int | None = None

    def check(self) -> None:
        """To be called at start: every table and column that is configured must be there."""
        with self._transaction() as connection:
            for table in self._tables.all():
                connection.execute(select(*table.c).where(false()))

    def technicians(self) -> Sequence[Technician]:
        with self._transaction() as connection:
            technicians = self._tables.technicians
            rows = connection.execute(select(technicians).order_by(technicians.c.id)).all()
        return tuple(_technician(row) for row in rows)

    def technician(self, technician_id: str) -> Technician | None:
        with self._transaction() as connection:
            technicians = self._tables.technicians
            row = connection.execute(select(technicians).where(technicians.c.id == technician_id)).one_or_none()
        return _technician(row) if row is not None else None

    def open_work_orders(self, technician_id: str) -> Sequence[OpenWorkOrder]:
        with self._transaction() as connection:
            holdings = open_holdings(connection, self._tables, self._policy, technician_id)
        return tuple(holding.work_order for holding in holdings)

    def stop_assignments(self, technician_id: str, stop_id: str) -> None:  # noqa: ARG002 - the column is a switch
        """Waits for whoever is just giving this technician work; what they gave is seen by the next read."""
        self._set_assignable(technician_id, assignable=False)

    def allow_assignments(self, technician_id: str, stop_id: str) -> None:  # noqa: ARG002 - the column is a switch
        self._set_assignable(technician_id, assignable=True)

    def reassign(self, technician_id: str, to: str) -> Sequence[OpenWorkOrder]:
        with self._transaction(writing=True) as connection:
            self._lock(connection, technician_id, to)
            holdings = open_holdings(connection, self._tables, self._policy, technician_id)
            ids = [holding.id for holding in holdings]
            move(connection, self._tables, self._policy, ids, technician_id, to)
        return tuple(holding.work_order for holding in holdings)

    def _set_assignable(self, technician_id: str, *, assignable: bool) -> None:
        technicians = self._tables.technicians
        with self._transaction(writing=True) as connection:
            connection.execute(
                update(technicians).where(technicians.c.id == technician_id).values(assignable=assignable)
            )

    def _lock(self, connection: Connection, technician_id: str, to: str) -> None:
        """Lock both technicians, in the order of their ids so that two reassignments cannot block each other.

        SQLite has no row locks; its write transaction has locked the whole file.
        """
        if technician_id == to:
            raise NeedsPerson(
                f"technician {to} has these work orders already; name another one", code=FailureCode.VALUE_REFUSED
            )
        technicians = self._tables.technicians
        rows = connection.execute(
            select(technicians)
            .where(technicians.c.id.in_((technician_id, to)))
            .order_by(technicians.c.id)
            .with_for_update()
        ).all()
        found = {technician.id: technician for technician in map(_technician, rows)}
        if to not in found:
            raise NeedsPerson(
                f"there is no technician {to} in the FSM system; name another one",
                code=FailureCode.TECHNICIAN_UNKNOWN,
            )
        if not found[to].assignable:
            raise NeedsPerson(
                f"technician {to} ({found[to].name}) cannot be given work; name another one",
                code=FailureCode.TECHNICIAN_UNASSIGNABLE,
            )

    @contextmanager
    def _transaction(self, *, writing: bool = False) -> Iterator[Connection]:
        """Commits at the end, rolls back if anything was raised; errors of the database become failures. The lease
        is kept before it begins and, where it changes something, before that is committed."""
        before_request()
        try:
            with self._connected().connect() as connection:
                connection.execution_options(**{WRITING: writing})
                with connection.begin():
                    yield connection
                    if writing:
                        before_request()
        except SQLAlchemyError as error:
            raise failure_of(error, self._where) from None

    def _connected(self) -> Engine:
        """The engine of this process; a forked child leaves its parent's connections alone."""
        if self._engine is not None and self._process != os.getpid():
            self._engine.dispose(close=False)
            self._engine = None
        if self._engine is None:
            self._engine, self._process = make_engine(self._url), os.getpid()
        return self._engine


def _technician(row: Row[tuple[object, ...]]) -> Technician:
    team = None if row.team is None else str(row.team)
    return Technician(str(row.id), str(row.name), team, assignable=bool(row.assignable))
