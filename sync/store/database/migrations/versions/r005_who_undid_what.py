"""Who wrote which part of a user in Keycloak, and which repairs did not hold, and by whom they were undone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r005"
down_revision = "r004"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("drift", sa.Column("undone", sa.JSON()))
    op.add_column("drift", sa.Column("undone_by", sa.Text()))
    op.create_table(
        "touch",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("by_program", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_touch_account_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_touch")),
    )
    op.create_index("ix_touch_account_id", "touch", ["account_id", "at"])


def downgrade() -> None:
    op.drop_table("touch")
    op.drop_column("drift", "undone_by")
    op.drop_column("drift", "undone")
