"""Attributes that a company adds to its accounts: rows of values, and the account's own copy of them (A10)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "attribute_value",
        sa.Column(
            "account_id", sa.Text(), sa.ForeignKey("account.id", name=op.f("fk_attribute_value_account_id"))
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_attribute_value")),
    )
    op.create_index("ix_attribute_value_key", "attribute_value", ["key", "text"])
    with op.batch_alter_table("account") as table:
        table.add_column(sa.Column("attributes", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("account", "attributes")
    op.drop_table("attribute_value")
