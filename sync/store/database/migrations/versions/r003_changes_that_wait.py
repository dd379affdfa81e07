"""What the work-order gate decides has a policy for changes too: a column with what was asked for together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r003"
down_revision = "r002"


def upgrade() -> None:
    op.add_column("deactivation", sa.Column("change", sa.JSON()))


def downgrade() -> None:
    op.execute("DELETE FROM deactivation WHERE change IS NOT NULL")
    op.drop_column("deactivation", "change")
