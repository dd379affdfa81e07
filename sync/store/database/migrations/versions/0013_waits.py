"""How many attempts it cost an account that a system was away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("provisioning", sa.Column("waits_attempts", sa.Integer()))


def downgrade() -> None:
    op.drop_column("provisioning", "waits_attempts")
