"""Comparisons of Keycloak with what is wanted, what they found, and the users there that are not ours."""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, text

from sync.store.database.columns import JsonObject, TextList, UtcDateTime, one_of
from sync.store.database.tables.metadata import metadata

ComparisonKind = Literal["comparison", "attribute-pass"]
ComparisonState = Literal["asked", "running", "done", "failed", "interrupted"]
DriftState = Literal["open", "accepted", "repaired", "gone"]

_LIVE = text("state IN ('open', 'accepted')")
_ASKED = text("state = 'asked'")
_RUNNING = text("state = 'running'")

comparison = Table(
    "comparison",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("accounts", Integer, nullable=False),
    Column("users", Integer, nullable=False),
    Column("memberships", Integer, nullable=False),
    Column("looked_at", Integer, nullable=False),
    Column("left_out", Integer, nullable=False),
    Column("differing", Integer, nullable=False),
    Column("foreign_users", Integer, nullable=False),
    Column("repairs", Integer, nullable=False),
    Column("error_kind", Text),
    Column("error", Text),
    one_of("kind", get_args(ComparisonKind)),
    one_of("state", get_args(ComparisonState)),
    Index("uq_comparison_asked", "kind", unique=True, sqlite_where=_ASKED, postgresql_where=_ASKED),
    Index("uq_comparison_running", "kind", unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING),
    Index("ix_comparison_started_at", "kind", "started_at"),
)
"""One comparison and how far it is; one of a kind runs at a time, and one may be asked for: `started_at` is then
when it was. `seen_at` moves while it is alive."""

drift = Table(
    "drift",
    metadata,
    Column("id", Text, primary_key=True),
    Column("attribute", Text, nullable=False),
    Column("key", Text, nullable=False, server_default=""),
    Column("subject", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("account_id", ForeignKey("account.id"), index=True),
    Column("idp_user_id", Text),
    Column("wanted", Text),
    Column("found", Text),
    Column("reaction", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("repair_asked_at", UtcDateTime),
    Column("anew_at", UtcDateTime),
    Column("decision", JsonObject),
    Column("decided_at", UtcDateTime),
    Column("undone", TextList),
    Column("undone_by", Text),
    one_of("reaction", ("repair", "report", "accept")),
    one_of("state", get_args(DriftState)),
    Index("uq_drift_live", "subject", "attribute", "key", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("ix_drift_state", "state", "first_seen_at"),
)
"""One difference of one attribute (G4). `key` says which of a company's, where it is one of those. `subject` is
the account's id, `user <id>` for a user that is not ours, `group <path>` for a group; `who` is its name for
people. `decision` is who decided about it and why. `undone` are the times, ISO 8601, at
which it was repaired to no effect, where a person has to know; `undone_by` is the program that undid it."""

touch = Table(
    "touch",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("part", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("by_program", Boolean, nullable=False),
    Index("ix_touch_account_id", "account_id", "at"),
)
"""What somebody else did to the user of an account in Keycloak, and who, for its timeline: kept while a difference
or a repair came of it."""

foreign_user = Table(
    "foreign_user",
    metadata,
    Column("idp_user_id", Text, primary_key=True),
    Column("username", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Index("ix_foreign_user_last_seen_at", "last_seen_at"),
)
"""The users of the realm that no account of ours has, as the last comparison saw them: listed, never touched."""
