"""How many people Keycloak's lockout keeps out, by the last look at each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, func, select

from sync.domain.accounts.account import Life
from sync.domain.operations import LockedOut
from sync.store.database.tables import FOR_GOOD, account
from sync.store.database.tables import observation as observations
from sync.store.database.transactions import Tx


def locked_out(tx: Tx, now: datetime) -> LockedOut:
    """Of those who are wanted active. Reads whom a lockout keeps out, by their index, and nobody else."""
    for_good = observations.c.locked_until == FOR_GOOD
    wanted = exists().where(account.c.id == observations.c.account_id, account.c.life == Life.ACTIVE.value)
    row = tx.connection.execute(
        select(func.count().filter(~for_good), func.count().filter(for_good)).where(
            observations.c.locked_until > now, wanted
        )
    ).one()
    return LockedOut(*row)
