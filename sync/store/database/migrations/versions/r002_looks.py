"""What is known of a user says whether somebody has looked, and until when a lockout lasts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r002"
down_revision = "r001"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """What is there was read; whoever is locked out is found at the next look."""
    op.add_column("observation", sa.Column("read_at", TIME))
    op.add_column("observation", sa.Column("locked_until", TIME))
    op.execute("UPDATE observation SET read_at = observed_at")
    for name, column, condition in (
        ("ix_observation_as_sent", "account_id", "read_at IS NULL"),
        ("ix_observation_locked_until", "locked_until", "locked_until IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "observation", [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("ix_observation_locked_until", "observation")
    op.drop_index("ix_observation_as_sent", "observation")
    op.drop_column("observation", "locked_until")
    op.drop_column("observation", "read_at")
