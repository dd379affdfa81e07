"""A database says which installation it is, and so may a realm."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "r004"
down_revision = "r003"


def upgrade() -> None:
    """The id is made here, once; copies and backups have the same."""
    installation = op.create_table(
        "installation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.bulk_insert(installation, [{"id": str(uuid.uuid4())}])


def downgrade() -> None:
    op.drop_table("installation")
