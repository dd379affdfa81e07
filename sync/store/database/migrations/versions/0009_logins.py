"""When people logged in moves out of the account; what may have been missed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "login_activity",
        sa.Column("idp_user_id", sa.Text(), nullable=False),
        sa.Column("first_login_at", TIME),
        sa.Column("last_login_at", TIME),
        sa.Column("last_used_at", TIME),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failure_at", TIME),
        sa.PrimaryKeyConstraint("idp_user_id", name=op.f("pk_login_activity")),
    )
    op.create_table(
        "login_failure",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("idp_user_id", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_login_failure")),
    )
    op.create_index("ix_login_failure_at", "login_failure", ["at"])
    op.create_index("ix_login_failure_idp_user_id", "login_failure", ["idp_user_id", "at"])
    op.create_table(
        "login_gap",
        sa.Column("begins", TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ends", TIME, nullable=False),
        sa.PrimaryKeyConstraint("begins", "reason", name=op.f("pk_login_gap")),
    )
    op.execute(
        "INSERT INTO login_activity (idp_user_id, first_login_at, last_login_at, last_used_at, failures) "
        "SELECT idp_user_id, first_login_at, last_login_at, last_login_at, 0 FROM account "
        "WHERE idp_user_id IS NOT NULL AND last_login_at IS NOT NULL"
    )
    op.drop_column("account", "first_login_at")
    op.drop_column("account", "last_login_at")


def downgrade() -> None:
    op.add_column("account", sa.Column("first_login_at", TIME))
    op.add_column("account", sa.Column("last_login_at", TIME))
    for column in ("first_login_at", "last_login_at"):
        op.execute(
            f"UPDATE account SET {column} = (SELECT a.{column} FROM login_activity a "  # noqa: S608 - names of our own
            "WHERE a.idp_user_id = account.idp_user_id)"
        )
    op.drop_table("login_gap")
    op.drop_table("login_failure")
    op.drop_table("login_activity")
