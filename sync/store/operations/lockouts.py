"""How many people Keycloak's lockout keeps out, by the last look at each."""

from __future__ import annotations

from sqlalchemy import JSON, and_, func, select, type_coerce

from sync.domain.accounts.account import Life
from sync.domain.operations import LockedOut
from sync.store.database.tables import account
from sync.store.database.tables import observation as observations
from sync.store.database.transactions import Tx


def locked_out(tx: Tx) -> LockedOut:
    """Of those who are wanted active. Reads each of their observations: for a page, not for figures."""
    lock = type_coerce(observations.c.state, JSON)["lock"]
    temporary, permanent = lock["temporary"].as_boolean(), lock["permanent"].as_boolean()
    row = tx.connection.execute(
        select(func.count().filter(and_(temporary, permanent.is_not(True))), func.count().filter(permanent))
        .select_from(observations)
        .join(account, account.c.id == observations.c.account_id)
        .where(account.c.life == Life.ACTIVE.value)
    ).one()
    return LockedOut(*row)
