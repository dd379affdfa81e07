"""What comes round by the clock."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text

from sync.store.database.columns import JsonObject, UtcDateTime, lease_columns
from sync.store.database.tables.metadata import metadata

schedule = Table(
    "schedule",
    metadata,
    Column("name", Text, primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
    *lease_columns(),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("error_kind", Text),
    Column("error", Text),
    Column("state", JsonObject, nullable=False),
)
"""What runs again and again, one row a job. `attempts` counts the failures in a row, `takeovers`
the workers in a row that never said how their run ended; `error` is the last one and
stays until a run succeeds; `state` is what the job itself wants to know at its next run, such as a position."""
