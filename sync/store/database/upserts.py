"""Insert a row or change the one that has its key: the same statements in the dialect of either database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from sync.store.database.transactions import Tx


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


def upsert_all(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert each row or, where its primary key exists, replace what the row holds. All have the same columns."""
    if not rows:
        return
    key = list(table.primary_key.columns)
    replaced = rows[0].keys() - {column.name for column in key}
    if tx.dialect == "postgresql":
        into = postgresql.insert(table)
        statement: postgresql.Insert | sqlite.Insert = into.on_conflict_do_update(
            index_elements=key, set_={name: into.excluded[name] for name in replaced}
        )
    else:
        file = sqlite.insert(table)
        statement = file.on_conflict_do_update(
            index_elements=key, set_={name: file.excluded[name] for name in replaced}
        )
    tx.connection.execute(statement, [dict(row) for row in rows])
