"""Table and column names of the FSM database, as `field_service.toml` says it.

Only the SQL adapter reads them; every name is checked to be a plain SQL identifier.
"""

from __future__ import annotations

from dataclasses import dataclass


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
