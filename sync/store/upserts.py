"""Insert a row or change the one that has its key: the same statement in the dialect of either database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from sync.store.database import Tx


def upsert(
    tx: Tx, table: Table, row: Mapping[str, Any], *, changes: Mapping[str, Any]
) -> postgresql.Insert | sqlite.Insert:
    """The statement that inserts `row` or, where its primary key exists, makes `changes` (values, or
    expressions over the old row)."""
    key = list(table.primary_key.columns)
    if tx.dialect == "postgresql":
        return (
            postgresql.insert(table)
            .values(dict(row))
            .on_conflict_do_update(index_elements=key, set_=dict(changes))
        )
    return sqlite.insert(table).values(dict(row)).on_conflict_do_update(index_elements=key, set_=dict(changes))
