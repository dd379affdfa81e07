"""Table and column names of the FSM database, as `field_service.toml` says it.

Only the SQL adapter reads them; every name is checked to be a plain SQL identifier.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mappings.files.reading import Document, Table


@dataclass(frozen=True, slots=True)
class TableNames:
    """`columns` maps our name of a column to the name it has in the FSM database."""

    table: str
    columns: dict[str, str]


@dataclass(frozen=True, slots=True)
class FieldServiceSchema:
    technicians: TableNames
    work_orders: TableNames
    crew: TableNames
    appointments: TableNames


COLUMNS = {
    "technicians": ("id", "name", "team", "assignable"),
    "work_orders": ("id", "number", "status", "customer", "date", "lead"),
    "crew": ("work_order", "technician"),
    "appointments": ("work_order", "technician", "starts_at"),
}
"""The tables and columns the SQL adapter knows, by our names."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def read(document: Document) -> FieldServiceSchema:
    names = {ours: _table_names(document.root.table(ours), columns) for ours, columns in COLUMNS.items()}
    return FieldServiceSchema(**names)


def _table_names(table: Table, columns: tuple[str, ...]) -> TableNames:
    """A table's name may carry a schema, as in `fsm.technician`."""
    column_table = table.table("columns")
    return TableNames(
        table=".".join(_identifier(table, "table", part) for part in table.text("table").split(".", 1)),
        columns={ours: _identifier(column_table, ours, column_table.text(ours)) for ours in columns},
    )


def _identifier(table: Table, key: str, name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        table.report(key, f'"{name}" is not a plain SQL name: letters, digits and underscores')
    return name
