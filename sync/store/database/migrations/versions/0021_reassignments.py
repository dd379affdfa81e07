"""Work orders that a worker shall move to another technician."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

TIME = sa.DateTime(timezone=True)
OPEN = sa.text("(state = 'waiting')")


def upgrade() -> None:
    op.create_table(
        "reassignment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("technician_id", sa.Text(), nullable=False),
        sa.Column("to_technician_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", TIME),
        sa.Column("lease_token", sa.Text()),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("failure", sa.Text()),
        sa.Column("finished_at", TIME),
        sa.CheckConstraint("state IN ('waiting', 'done', 'failed')", name=op.f("ck_reassignment_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reassignment")),
    )
    op.create_index(
        "uq_reassignment_open",
        "reassignment",
        ["technician_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    op.drop_index("uq_reassignment_open", "reassignment")
    op.drop_table("reassignment")
