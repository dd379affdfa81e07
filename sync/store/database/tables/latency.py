"""How long changes took from being wanted to being in Keycloak, counted."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, Table, Text

from sync.domain.work.lane import Lane
from sync.store.database.columns import one_of
from sync.store.database.tables.metadata import metadata

latency = Table(
    "latency",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("le", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    one_of("lane", (Lane.INTERACTIVE, Lane.BULK)),
)
"""Changes by their time to Keycloak: `count` of those that took at most `le` seconds and more than the bucket
before, and `seconds` all of them took together. Each worker process counts in a slot, so that they do not wait for
one row; a reader adds the slots up."""
