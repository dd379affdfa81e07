"""Reviewed runs and their rows."""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from sync.store.database.columns import JsonObject, TextList, UtcDateTime, condition, one_of
from sync.store.database.tables.metadata import metadata

RunKind = Literal["import", "mappings", "repair", "adoption"]
"""What its rows are: people of a staff file, accounts that a changed mapping file reaches, accounts that are not
in Keycloak as wanted, users of Keycloak that become accounts of ours."""

RunState = Literal["asked", "reviewed", "held", "confirmed", "applying", "paused", "done", "cancelled", "refused"]
RowVerdict = Literal["create", "update", "unchanged", "error"]
RowResult = Literal["applied", "refused", "failed"]

PENDING_ROW = condition("result IS NULL AND verdict IN ('create', 'update')")

run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_digest", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("cause", JsonObject, nullable=False),
    Column("counts", JsonObject, nullable=False),
    Column("options", JsonObject, nullable=False),
    Column("confirmed_at", UtcDateTime),
    Column("confirmation", JsonObject),
    Column("finished_at", UtcDateTime),
    Column("turn_at", UtcDateTime),
    Column("held_reasons", TextList),
    Column("approved_at", UtcDateTime),
    Column("approval", JsonObject),
    one_of("kind", get_args(RunKind)),
    one_of("state", get_args(RunState)),
    Index("ix_run_state", "state", "created_at"),
)
"""A reviewed batch, such as an import: what was reviewed, who confirmed it, how far it is (F2-F4). `held_reasons`
are the limits of the mass-change guard it exceeds; it waits for an approval then (E7). `cause` is who made it,
through which door and why; `confirmation` who confirmed it, by which its rows are applied; `approval` who let it
go on."""

run_row = Table(
    "run_row",
    metadata,
    Column("run_id", ForeignKey("run.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("original", JsonObject, nullable=False),
    Column("parsed", JsonObject),
    Column("verdict", Text, nullable=False),
    Column("changes", JsonObject, nullable=False),
    Column("messages", JsonObject, nullable=False),
    Column("account_id", Text),
    Column("base_version", Integer),
    Column("login_key", Text),
    Column("employee_number", Text),
    Column("result", Text),
    Column("result_message", Text),
    Column("applied_version", Integer),
    one_of("verdict", get_args(RowVerdict)),
    one_of("result", get_args(RowResult)),
    Index("ix_run_row_pending", "run_id", "number", sqlite_where=PENDING_ROW, postgresql_where=PENDING_ROW),
)
"""One row of a run. `number` is the row's place in the source. `account_id` is the account it changes, or the
id chosen for the one it will create; there is no foreign key, for that account may not exist yet."""
