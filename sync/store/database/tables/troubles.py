"""What is wrong around us and seen by whoever met it: Redis, a clock, our own disk."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from sync.store.database.columns import UtcDateTime
from sync.store.database.tables.metadata import metadata

trouble = Table(
    "trouble",
    metadata,
    Column("name", Text, primary_key=True),
    Column("what", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
"""One row while it lasts; whoever finds it well takes the row away."""
