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
    Column("door", Text),
    Column("origin", Text, nullable=False),
    Column("caller_kind", Text, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("caller_host", Text),
    Column("action", Text, nullable=False),
    Column("account_id", ForeignKey("account.id")),
    Column("before", JsonObject),
    Column("after", JsonObject),
    Column("reason", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Index("ix_audit_account_id", "account_id", "at"),
    Index("ix_audit_at", "at"),
)
"""Who did what to whom, when, why and through which door (G1). `actor` is a name for people, kind, id and host say
who it was; a change made by no person has an origin and no door. Triggers refuse to change or remove a row."""
