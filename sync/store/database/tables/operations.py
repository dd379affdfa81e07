"""What operators steer and watch: lanes that were paused, and the workers and processes that were seen."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text

from sync.store.database.columns import TextList, UtcDateTime, one_of
from sync.store.database.tables.metadata import metadata

PAUSABLE = ("interactive", "bulk", "mail", "reconcile")

lane_pause = Table(
    "lane_pause",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("paused_at", UtcDateTime, nullable=False),
    Column("paused_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    one_of("lane", PAUSABLE),
)
"""A row while a lane is paused: nothing of it is claimed (H3)."""

worker = Table(
    "worker",
    metadata,
    Column("name", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("lanes", TextList, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("doing", Text),
    Column("trouble", Text),
)
"""One row a worker, by its node name (`bulk@host`). `doing` None: it waits. `trouble`: why it touches no
account."""

process = Table(
    "process",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
"""One row a process that works and may hold leases; a worker has several. One row a beat, `beat@host`, which holds
none. `seen_at` is the last sign of life."""
