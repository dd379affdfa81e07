"""The audit trail."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from sync.store.database.columns import JsonObject, UtcDateTime
from sync.store.database.tables.metadata import metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("door", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("account_id", ForeignKey("account.id")),
    Column("before", JsonObject),
    Column("after", JsonObject),
    Column("reason", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Index("ix_audit_account_id", "account_id", "at"),
    Index("ix_audit_at", "at"),
)
"""Who did what to whom, when, why and through which door (G1). Triggers refuse to change or remove a row."""
