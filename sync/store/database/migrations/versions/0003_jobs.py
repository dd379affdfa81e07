"""Periodic jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("lease_until", TIME),
        sa.Column("lease_token", sa.Text()),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error_kind", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job")),
    )


def downgrade() -> None:
    op.drop_table("job")
