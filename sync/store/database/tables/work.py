"""The work on each account, and what workers did."""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, false, text

from sync.domain.work.circuit import CircuitName
from sync.domain.work.lane import Lane
from sync.store.database.columns import (
    ChangeList,
    DifferenceList,
    UtcDateTime,
    WorkOrderList,
    lease_columns,
    one_of,
)
from sync.store.database.tables.metadata import metadata

WAITS_FOR = (*CircuitName, "configuration")

Outcome = Literal["applied", "held", "refused", "retry", "quarantined"]

provisioning = Table(
    "provisioning",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("wanted_version", Integer, nullable=False),
    Column("wanted_at", UtcDateTime),
    Column("applied_version", Integer),
    Column("lane", Text, nullable=False),
    Column("due_at", UtcDateTime),
    Column("asked", Integer, nullable=False),
    *lease_columns(),
    Column("interrupted", Boolean, nullable=False, server_default=false()),
    Column("attempts", Integer, nullable=False),
    Column("quarantine_kind", Text),
    Column("quarantine_code", Text),
    Column("quarantine_reason", Text),
    Column("quarantine_difference", DifferenceList),
    Column("held_work_orders", WorkOrderList),
    Column("waits_for", Text),
    Column("waits_code", Text),
    Column("waits_reason", Text),
    Column("waits_since", UtcDateTime),
    Column("waits_attempts", Integer),
    Column("look_asked_at", UtcDateTime),
    Column("look_failure", Text),
    Column("updated_at", UtcDateTime, nullable=False),
    one_of("lane", (Lane.INTERACTIVE, Lane.BULK)),
    one_of("waits_for", WAITS_FOR),
    Index(
        "ix_provisioning_claim",
        "lane",
        "due_at",
        "account_id",
        sqlite_where=text("due_at IS NOT NULL AND quarantine_kind IS NULL"),
        postgresql_where=text("due_at IS NOT NULL AND quarantine_kind IS NULL"),
    ),
    Index(
        "ix_provisioning_quarantine",
        "quarantine_kind",
        sqlite_where=text("quarantine_kind IS NOT NULL"),
        postgresql_where=text("quarantine_kind IS NOT NULL"),
    ),
    Index(
        "ix_provisioning_waits",
        "waits_for",
        sqlite_where=text("waits_for IS NOT NULL"),
        postgresql_where=text("waits_for IS NOT NULL"),
    ),
    Index(
        "ix_provisioning_held",
        "account_id",
        sqlite_where=text("held_work_orders IS NOT NULL"),
        postgresql_where=text("held_work_orders IS NOT NULL"),
    ),
    Index(
        "ix_provisioning_leased",
        "account_id",
        sqlite_where=text("lease_token IS NOT NULL"),
        postgresql_where=text("lease_token IS NOT NULL"),
    ),
    Index(
        "ix_provisioning_look",
        "look_asked_at",
        sqlite_where=text("look_asked_at IS NOT NULL"),
        postgresql_where=text("look_asked_at IS NOT NULL"),
    ),
)
"""The work on each account. `wanted_at` is since when the wanted version is wanted. `asked` counts every request
to look; a worker that finishes an older request leaves the account due. `takeovers` counts the workers in a row
that ended over it with no outcome; `interrupted`: one did since the account was last as wanted. `waits_for` names
the circuit whose system failed the last look, or "configuration" for what somebody has to mend, with the reason,
since when it is the same, and how many attempts it cost. `quarantine_code` and `waits_code` are the failure's code
and what it is about, for groups and figures. `quarantine_difference` is what could not be made. `look_asked_at` is
set while somebody waits for a look that changes nothing; `look_failure` is why the last one saw nothing."""

attempt = Table(
    "attempt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("lane", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("changes", ChangeList, nullable=False),
    Column("error", Text),
    one_of("lane", (Lane.INTERACTIVE, Lane.BULK)),
    one_of("outcome", get_args(Outcome)),
    Index("ix_attempt_account_id", "account_id", "at"),
)
"""What workers did to an account in Keycloak, for its timeline."""
