"""Deactivations, and the work orders and technicians they concern."""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, Table, Text

from sync.domain.deactivation.gate import GatePolicy
from sync.domain.deactivation.request import DeactivationState
from sync.store.database.columns import (
    JsonObject,
    TextList,
    UtcDateTime,
    WorkOrderList,
    condition,
    lease_columns,
    one_of,
)
from sync.store.database.tables.metadata import metadata

OPEN_DEACTIVATION = condition("state IN ('requested', 'held')")
STRANDED = condition("resolved_at IS NULL")
OPEN_REASSIGNMENT = condition("state = 'waiting'")

ReassignmentState = Literal["waiting", "done", "failed"]

deactivation = Table(
    "deactivation",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("policy", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("cause", JsonObject, nullable=False),
    Column("deadline", UtcDateTime),
    Column("after_deadline", Text, nullable=False),
    Column("work_orders", WorkOrderList, nullable=False),
    Column("held_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("change", JsonObject),
    one_of("policy", GatePolicy),
    one_of("state", DeactivationState),
    one_of("after_deadline", ("person", "force")),
    Index(
        "uq_deactivation_open",
        "account_id",
        unique=True,
        sqlite_where=OPEN_DEACTIVATION,
        postgresql_where=OPEN_DEACTIVATION,
    ),
    Index("ix_deactivation_account_id", "account_id"),
)
"""Every request to deactivate, or to take the technician from somebody who stays, and how it ended; at most one
open for an account (D4). `change`: what the latter changes; none: the person leaves."""

stranded_work_order = Table(
    "stranded_work_order",
    metadata,
    Column("technician_id", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("date", Date),
    Column("holds", TextList, nullable=False),
    Column("found_at", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime),
    Index(
        "ix_stranded_work_order_open",
        "technician_id",
        "number",
        sqlite_where=STRANDED,
        postgresql_where=STRANDED,
    ),
)
"""Open work orders of a technician who lost access: they need another technician (D4)."""

assignment_stop = Table(
    "assignment_stop",
    metadata,
    Column("technician_id", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("stopped_at", UtcDateTime, nullable=False),
)
"""Technicians whom we stopped from getting new work: only a stop of ours is ever undone (rule: ask-the-gate)."""

reassignment = Table(
    "reassignment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("technician_id", Text, nullable=False),
    Column("to_technician_id", Text, nullable=False),
    Column("branch", Text),
    Column("state", Text, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("cause", JsonObject, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    *lease_columns(),
    Column("found", WorkOrderList, nullable=False),
    Column("moved", WorkOrderList, nullable=False),
    Column("failure", Text),
    Column("finished_at", UtcDateTime),
    one_of("state", get_args(ReassignmentState)),
    Index(
        "uq_reassignment_open",
        "technician_id",
        unique=True,
        sqlite_where=OPEN_REASSIGNMENT,
        postgresql_where=OPEN_REASSIGNMENT,
    ),
)
"""Every wish that all open work orders of a technician go to another one, and what came of it; at most one open
for a technician (D5). `branch` is that of both when it was asked for; none: it is the whole company's. `found` are
those that were about to be moved, written down before the FSM system is told, so that a worker that takes over
after a crash knows what was moved. `failure` is why the last try failed."""
