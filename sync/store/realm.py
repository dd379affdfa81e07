"""Which installation this database is: an id that a migration makes, once. A copy has the same."""

from __future__ import annotations

from sqlalchemy import select

from sync.domain.errors import Misconfigured
from sync.store.database.tables import installation as table
from sync.store.database.transactions import Tx


def installation(tx: Tx) -> str:
    """Raises Misconfigured if somebody took the row away: nobody can say then whose the realm is."""
    found = tx.connection.scalars(select(table.c.id)).all()
    if len(found) != 1:
        raise Misconfigured(
            f"our database has {len(found)} ids of its installation and needs one: restore the table "
            "`installation` from a backup"
        )
    return str(found[0])
