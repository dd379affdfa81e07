"""One-shot acts on accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TIME = sa.DateTime(timezone=True)
OPEN = sa.text("(state IN ('waiting', 'started'))")
SEALED = sa.text("(sealed IS NOT NULL)")
MAILED = sa.text("mail_id IS NOT NULL")
KINDS = (
    "'reset-password', 'set-password-mail', 'require-password-change', 'unlock', 'end-sessions', "
    "'reset-second-factor', 'expire-password'"
)


def upgrade() -> None:
    op.create_table(
        "command",
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
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_command_kind")),
        sa.CheckConstraint("state IN ('waiting', 'started', 'done', 'failed')", name=op.f("ck_command_state")),
        sa.CheckConstraint("lane IN ('interactive', 'bulk')", name=op.f("ck_command_lane")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_command_account_id")),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_command_mail_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
    )
    op.create_index("ix_command_account_id", "command", ["account_id", "id"])
    _partial("ix_command_open", ["account_id", "id"], OPEN)
    _partial("ix_command_due", ["due_at"], OPEN)
    _partial("ix_command_sealed", ["expires_at"], SEALED)
    _partial("uq_command_mail_id", ["mail_id"], MAILED, unique=True)


def downgrade() -> None:
    op.drop_table("command")


def _partial(name: str, columns: list[str], where: sa.TextClause, *, unique: bool = False) -> None:
    op.create_index(name, "command", columns, unique=unique, sqlite_where=where, postgresql_where=where)
