"""The FSM database's tables under our names of their columns.

`sql` and `moving` write their statements with these; the real names are those of field_service.toml. The
tables are only spoken to, never created.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, MetaData, String, Table
from sqlalchemy.types import NullType, TypeEngine

from mappings.field_service import FieldServiceSchema, TableNames

_TYPES: dict[str, TypeEngine[Any]] = {"assignable": Boolean(), "date": NullType(), "starts_at": NullType()}
"""What is not a text. Dates are taken as the database answers them."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Columns are reached by our names: `work_orders.c.lead`."""

    technicians: Table
    work_orders: Table
    crew: Table
    appointments: Table

    def all(self) -> tuple[Table, ...]:
        return (self.technicians, self.work_orders, self.crew, self.appointments)


def tables_of(schema: FieldServiceSchema) -> Tables:
    metadata = MetaData()
    return Tables(
        technicians=_table(schema.technicians, metadata),
        work_orders=_table(schema.work_orders, metadata),
        crew=_table(schema.crew, metadata),
        appointments=_table(schema.appointments, metadata),
    )


def _table(names: TableNames, metadata: MetaData) -> Table:
    schema, _, name = names.table.rpartition(".")
    columns = [Column(theirs, _TYPES.get(ours, String()), key=ours) for ours, theirs in names.columns.items()]
    return Table(name, metadata, *columns, schema=schema or None)
