"""Runs of every kind, runs that are held for an approval, the policy in force, and counts of single pushes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TIME = sa.DateTime(timezone=True)
OLD = "state IN ('reviewed', 'confirmed', 'applying', 'paused', 'done', 'cancelled', 'refused')"
NEW = "state IN ('reviewed', 'held', 'confirmed', 'applying', 'paused', 'done', 'cancelled', 'refused')"
KINDS = "kind IN ('import', 'mappings', 'repair', 'adoption')"
ADDED = (
    ("held_reasons", sa.JSON),
    ("approved_at", lambda: TIME),
    ("approved_by", sa.Text),
    ("approval_reason", sa.Text),
)
KEPT = (
    "id, kind, state, source, source_digest, fingerprint, created_at, by, door, counts, options, confirmed_at, "
    "confirmed_by, finished_at"
)


def upgrade() -> None:
    op.create_table(
        "policy",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("adopted_at", TIME, nullable=False),
        sa.Column("adopted_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy")),
    )
    op.create_table(
        "push_count",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("minute", TIME, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "kind", "minute", name=op.f("pk_push_count")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(NEW, added=True)
        return
    for name, kind in ADDED:
        op.add_column("run", sa.Column(name, kind()))
    op.drop_constraint(op.f("ck_run_state"), "run")
    op.create_check_constraint(op.f("ck_run_state"), "run", NEW)
    op.create_check_constraint(op.f("ck_run_kind"), "run", KINDS)


def downgrade() -> None:
    """What was held is cancelled: the version before does not know how to hold it."""
    op.drop_table("push_count")
    op.drop_table("policy")
    op.execute("UPDATE run SET state = 'cancelled' WHERE state = 'held'")
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(OLD, added=False)
        return
    op.drop_constraint(op.f("ck_run_kind"), "run")
    op.drop_constraint(op.f("ck_run_state"), "run")
    op.create_check_constraint(op.f("ck_run_state"), "run", OLD)
    for name, _ in ADDED:
        op.drop_column("run", name)


def _rebuild(states: str, *, added: bool) -> None:
    """SQLite changes no check. The rows refer to their run, so they are put aside while it is made anew."""
    op.execute("CREATE TABLE kept_run AS SELECT * FROM run")
    op.execute("CREATE TABLE kept_run_row AS SELECT * FROM run_row")
    op.drop_table("run_row")
    op.drop_table("run")
    extra: list[Any] = [sa.Column(name, kind()) for name, kind in ADDED] if added else []
    if added:
        extra.append(sa.CheckConstraint(KINDS, name=op.f("ck_run_kind")))
    op.create_table(
        "run",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_digest", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("confirmed_at", TIME),
        sa.Column("confirmed_by", sa.Text()),
        sa.Column("finished_at", TIME),
        *extra,
        sa.CheckConstraint(states, name=op.f("ck_run_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_state", "run", ["state", "created_at"])
    op.execute(f"INSERT INTO run ({KEPT}) SELECT {KEPT} FROM kept_run")  # noqa: S608 - names of our own
    _make_run_row()
    op.execute("INSERT INTO run_row SELECT * FROM kept_run_row")
    op.drop_table("kept_run_row")
    op.drop_table("kept_run")


def _make_run_row() -> None:
    pending = sa.text("(result IS NULL AND verdict IN ('create', 'update'))")
    op.create_table(
        "run_row",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("original", sa.JSON(), nullable=False),
        sa.Column("parsed", sa.JSON()),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("messages", sa.JSON(), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("base_version", sa.Integer()),
        sa.Column("login_key", sa.Text()),
        sa.Column("employee_number", sa.Text()),
        sa.Column("result", sa.Text()),
        sa.Column("result_message", sa.Text()),
        sa.Column("applied_version", sa.Integer()),
        sa.CheckConstraint("result IN ('applied', 'refused', 'failed')", name=op.f("ck_run_row_result")),
        sa.CheckConstraint(
            "verdict IN ('create', 'update', 'unchanged', 'error')", name=op.f("ck_run_row_verdict")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_row_run_id")),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_run_row")),
    )
    op.create_index(
        "ix_run_row_pending", "run_row", ["run_id", "number"], sqlite_where=pending, postgresql_where=pending
    )
