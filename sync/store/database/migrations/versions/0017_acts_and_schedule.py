"""One-shot acts are called acts, and what comes round by the clock the schedule."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

TIME = sa.DateTime(timezone=True)
OPEN = sa.text("(state IN ('waiting', 'started'))")
SEALED = sa.text("(sealed IS NOT NULL)")
MAILED = sa.text("mail_id IS NOT NULL")
KINDS = (
    "'reset-password', 'set-password-mail', 'require-password-change', 'unlock', 'end-sessions', "
    "'reset-second-factor', 'expire-password'"
)


def upgrade() -> None:
    _make_acts("act")
    _move("command", "act")
    _make_schedule("schedule")
    _move("job", "schedule")


def downgrade() -> None:
    _make_schedule("job")
    _move("schedule", "job")
    _make_acts("command")
    _move("act", "command")


def _move(old: str, new: str) -> None:
    """Made anew rather than renamed: SQLite keeps the old names of constraints and indexes."""
    columns = ", ".join(f'"{each["name"]}"' for each in sa.inspect(op.get_bind()).get_columns(new))
    op.execute(f"INSERT INTO {new} ({columns}) SELECT {columns} FROM {old}")  # noqa: S608 - names of ours
    op.drop_table(old)


def _make_acts(name: str) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("expires_at", TIME),
        sa.Column("mail_id", sa.Text()),
        sa.Column("due_at", TIME),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("found", sa.JSON()),
        sa.Column("finished_at", TIME),
        sa.Column("outcome", sa.Text()),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f(f"ck_{name}_kind")),
        sa.CheckConstraint("state IN ('waiting', 'started', 'done', 'failed')", name=op.f(f"ck_{name}_state")),
        sa.CheckConstraint("lane IN ('interactive', 'bulk')", name=op.f(f"ck_{name}_lane")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f(f"fk_{name}_account_id")),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f(f"fk_{name}_mail_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.create_index(f"ix_{name}_account_id", name, ["account_id", "id"])
    for index, columns, where in (
        (f"ix_{name}_open", ["account_id", "id"], OPEN),
        (f"ix_{name}_due", ["due_at"], OPEN),
        (f"ix_{name}_sealed", ["expires_at"], SEALED),
    ):
        op.create_index(index, name, columns, sqlite_where=where, postgresql_where=where)
    op.create_index(
        f"uq_{name}_mail_id", name, ["mail_id"], unique=True, sqlite_where=MAILED, postgresql_where=MAILED
    )


def _make_schedule(name: str) -> None:
    op.create_table(
        name,
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("lease_until", TIME),
        sa.Column("lease_token", sa.Text()),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("takeovers", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error_kind", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f(f"pk_{name}")),
    )
