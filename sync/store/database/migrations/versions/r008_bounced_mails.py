"""Why a mail failed, for programs; mails that came back, and the addresses that they came back from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r008"
down_revision = "r007"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("mail", sa.Column("failure", sa.Text()))
    op.add_column("mail", sa.Column("bounced_at", TIME))
    op.create_table(
        "bounce",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", TIME),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_bounce_account_id")),
        sa.PrimaryKeyConstraint("account_id", "address", name=op.f("pk_bounce")),
    )
    current = sa.text("(is_current)")
    op.create_index("ix_bounce_current", "bounce", ["account_id"], sqlite_where=current, postgresql_where=current)


def downgrade() -> None:
    op.drop_table("bounce")
    op.drop_column("mail", "bounced_at")
    op.drop_column("mail", "failure")
