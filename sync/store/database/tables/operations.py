"""What operators steer and watch: lanes that were paused, the workers and processes that were seen, what is wrong
around us, and how long changes take."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, Table, Text

from sync.domain.work.lane import Lane
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

trouble = Table(
    "trouble",
    metadata,
    Column("name", Text, primary_key=True),
    Column("what", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
"""What is wrong around us and seen by whoever met it: Redis, a clock, our own disk. One row while it lasts;
whoever finds it well takes the row away."""

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
