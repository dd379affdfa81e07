"""Looks that a person asked for: since when, and why the last one saw nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

ASKED = sa.text("look_asked_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("provisioning", sa.Column("look_asked_at", sa.DateTime(timezone=True)))
    op.add_column("provisioning", sa.Column("look_failure", sa.Text()))
    op.create_index(
        "ix_provisioning_look", "provisioning", ["look_asked_at"], sqlite_where=ASKED, postgresql_where=ASKED
    )


def downgrade() -> None:
    op.drop_index("ix_provisioning_look", "provisioning")
    op.drop_column("provisioning", "look_failure")
    op.drop_column("provisioning", "look_asked_at")
