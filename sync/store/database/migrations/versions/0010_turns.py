"""When a run had its last turn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("run", sa.Column("turn_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("run", "turn_at")
