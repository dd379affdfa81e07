"""Since when a change is wanted, and how long changes took to Keycloak."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("provisioning", sa.Column("wanted_at", sa.DateTime(timezone=True)))
    op.create_table(
        "latency",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("le", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.CheckConstraint("lane IN ('interactive', 'bulk')", name=op.f("ck_latency_lane")),
        sa.PrimaryKeyConstraint("lane", "slot", "le", name=op.f("pk_latency")),
    )


def downgrade() -> None:
    op.drop_table("latency")
    op.drop_column("provisioning", "wanted_at")
