"""The mails that were not sent, counted without reading those that were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

NOT_SENT = sa.text("(state <> 'sent')")


def upgrade() -> None:
    op.create_index("ix_mail_not_sent", "mail", ["state"], sqlite_where=NOT_SENT, postgresql_where=NOT_SENT)


def downgrade() -> None:
    op.drop_index("ix_mail_not_sent", "mail")
