"""Accounts wait for their first day and end with their last; a joiner's welcome mail waits with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r007"
down_revision = "r006"


def upgrade() -> None:
    op.add_column("account", sa.Column("expected", sa.Boolean(), server_default=sa.false(), nullable=False))
    for name, column, which in (
        ("ix_account_expected", "valid_from", "(expected)"),
        ("ix_account_ends", "valid_until", "(valid_until IS NOT NULL AND life = 'active')"),
    ):
        where = sa.text(which)
        op.create_index(name, "account", [column], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "joiner",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_joiner_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_joiner")),
    )


def downgrade() -> None:
    op.drop_table("joiner")
    op.drop_index("ix_account_ends", "account")
    op.drop_index("ix_account_expected", "account")
    op.drop_column("account", "expected")
