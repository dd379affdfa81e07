"""Doing something in one worker at a time, however many try: a lock that ends with the transaction.

PostgreSQL has advisory locks; on SQLite a write transaction is alone anyway.
"""

from __future__ import annotations

from sqlalchemy import func, select

from sync.store.database.transactions import Tx

SWEEP = 0x66736D_01
"""The keys of our advisory locks: `fsm` and a number. They are told apart by it, in one database."""


def alone(tx: Tx, key: int) -> bool:
    """False: another transaction does it now. Raises ValueError in a transaction that reads."""
    if not tx.writing:
        raise ValueError("a lock is for a transaction that writes")
    if tx.dialect == "sqlite":
        return True
    return bool(tx.connection.scalar(select(func.pg_try_advisory_xact_lock(key))))
