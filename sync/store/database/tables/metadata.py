"""What every table of ours has in common: how constraints are named, and uniqueness where a value is present."""

from __future__ import annotations

from sqlalchemy import Index, MetaData, text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def unique_where_present(table: str, column: str) -> Index:
    present = text(f"{column} IS NOT NULL")
    return Index(f"uq_{table}_{column}", column, unique=True, sqlite_where=present, postgresql_where=present)
