"""Circuits: which foreign system is left in peace, and until when."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text

from sync.domain.work.circuit import CircuitName, CircuitState
from sync.store.database.columns import UtcDateTime, one_of
from sync.store.database.tables.metadata import metadata

circuit = Table(
    "circuit",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("openings", Integer, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("opened_at", UtcDateTime),
    Column("probe_at", UtcDateTime),
    Column("probe_token", Text),
    Column("reason", Text),
    Column("kind", Text),
    Column("changed_at", UtcDateTime, nullable=False),
    one_of("name", CircuitName),
    one_of("state", CircuitState),
)
"""One row for each system that failed at least once; none yet: closed."""
