"""The audit trail."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

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

audit_waiting = Table(
    "audit_waiting",
    metadata,
    Column("entry_id", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)
"""Entries that the chain does not have yet, and when they were written. Triggers of `audit` fill it, the chainer
takes out what it has chained."""

audit_chain = Table(
    "audit_chain",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("entry_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("entry_id"),
)
"""Each entry once more as the text that is hashed (`domain.chain.link`), numbered without gaps. No foreign key: a
link outlives its entry, and so tells that it is gone. Triggers refuse to change or remove a row."""
