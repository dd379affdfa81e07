"""How many workers in a row ended over an account, and over a periodic job."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    for table in ("provisioning", "job"):
        op.add_column(table, sa.Column("takeovers", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    for table in ("job", "provisioning"):
        op.drop_column(table, "takeovers")
