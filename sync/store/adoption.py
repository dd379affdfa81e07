"""What earlier adoptions left behind: the rows of their runs (G4)."""

from __future__ import annotations

from sqlalchemy import select

from sync.store.database.tables import run, run_row
from sync.store.database.transactions import Tx


def was_adopted(tx: Tx, account_id: str, idp_user_id: str) -> bool:
    """Whether this user became the account's by an adoption: it was not made by us for it. One whose account was
    created again has been the account's from the beginning."""
    rows_found = tx.connection.execute(
        select(run_row.c.original)
        .join(run, run.c.id == run_row.c.run_id)
        .where(
            run.c.kind == "adoption",
            run_row.c.account_id == account_id,
            run_row.c.verdict == "update",
            run_row.c.result == "applied",
        )
    )
    return any(original["id"] == idp_user_id for original in rows_found.scalars())
