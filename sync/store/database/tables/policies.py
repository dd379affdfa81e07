"""The mapping files that are and were in force, and how many changes each source has let pass lately."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text

from sync.store.database.columns import JsonObject, UtcDateTime
from sync.store.database.tables.metadata import metadata

policy = Table(
    "policy",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", Text, nullable=False),
    Column("adopted_at", UtcDateTime, nullable=False),
    Column("adopted_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("files", JsonObject, nullable=False),
)
"""The mapping files by name, as text. The highest number is in force: numbers, not times, for the clocks of
machines differ. One that was in force before may be adopted again."""

push_count = Table(
    "push_count",
    metadata,
    Column("source", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("minute", UtcDateTime, primary_key=True),
    Column("number", Integer, nullable=False),
)
"""Changes that passed without an approval, by source, kind of change and minute: sliding windows (E7)."""
