"""What the databases say that they will do: the plan of each statement, by EXPLAIN."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from sync.store.database.transactions import Tx


@contextmanager
def plans(tx: Tx) -> Iterator[list[str]]:
    """What the database will do for each statement of the block, in its own words."""
    found: list[str] = []

    def explain(
        connection: Connection,
        _cursor: object,
        statement: str,
        parameters: Any,  # noqa: ANN401 - the driver's own
        _context: object,
        many: bool,  # noqa: FBT001 - SQLAlchemy's order
    ) -> None:
        if statement.startswith("EXPLAIN") or many or "PRAGMA" in statement:
            return
        how = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
        rows = connection.exec_driver_sql(how + statement, parameters).all()
        found.append("\n".join(str(row[-1]) for row in rows))

    event.listen(tx.connection, "before_cursor_execute", explain)
    yield found
    event.remove(tx.connection, "before_cursor_execute", explain)
