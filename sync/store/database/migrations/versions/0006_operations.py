"""Paused lanes and the heartbeats of workers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "lane_pause",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("paused_at", TIME, nullable=False),
        sa.Column("paused_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "lane IN ('interactive', 'bulk', 'mail', 'reconcile')", name=op.f("ck_lane_pause_lane")
        ),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_lane_pause")),
    )
    op.create_table(
        "worker",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("lanes", sa.JSON(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("doing", sa.Text()),
        sa.Column("trouble", sa.Text()),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker")),
    )


def downgrade() -> None:
    op.drop_table("worker")
    op.drop_table("lane_pause")
