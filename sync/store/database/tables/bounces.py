"""Addresses that mails came back from."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text

from sync.store.database.columns import UtcDateTime, condition
from sync.store.database.tables.metadata import metadata

CURRENT_BOUNCE = condition("is_current")

bounce = Table(
    "bounce",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("address", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Index("ix_bounce_current", "account_id", sqlite_where=CURRENT_BOUNCE, postgresql_where=CURRENT_BOUNCE),
)
"""A row an address (as `login_key`) that an account has or had. `at` is when the last mail came back, `reason`
what was said of it. `is_current`: it is the account's address now, and nobody has said that mails arrive again;
when somebody did is `withdrawn_at`, and older news does not count any more (F7)."""
