"""Finding the few accounts that wait for open work orders, without reading all (D4)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

HELD = sa.text("held_work_orders IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_provisioning_held", "provisioning", ["account_id"], sqlite_where=HELD, postgresql_where=HELD
    )


def downgrade() -> None:
    op.drop_index("ix_provisioning_held", "provisioning")
