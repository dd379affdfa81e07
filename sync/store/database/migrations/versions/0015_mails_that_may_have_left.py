"""Whether a mail that failed may have reached somebody; nothing is known of those of before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("mail", sa.Column("may_have_left", sa.Boolean()))


def downgrade() -> None:
    op.drop_column("mail", "may_have_left")
