"""Comparisons of Keycloak with what is wanted, what they find, and the users there that are not ours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

TIME = sa.DateTime(timezone=True)
LIVE = sa.text("state IN ('open', 'accepted')")
RUNNING = sa.text("state = 'running'")
COUNTS = (
    "accounts",
    "users",
    "memberships",
    "looked_at",
    "left_out",
    "differing",
    "foreign_users",
    "repairs",
)


def upgrade() -> None:
    op.create_table(
        "comparison",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.Column("error_kind", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint("kind IN ('comparison', 'attribute-pass')", name=op.f("ck_comparison_kind")),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'failed', 'interrupted')", name=op.f("ck_comparison_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparison")),
    )
    op.create_index(
        "uq_comparison_running",
        "comparison",
        ["kind"],
        unique=True,
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )
    op.create_index("ix_comparison_started_at", "comparison", ["kind", "started_at"])
    op.create_table(
        "drift",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("idp_user_id", sa.Text()),
        sa.Column("wanted", sa.Text()),
        sa.Column("found", sa.Text()),
        sa.Column("reaction", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("repair_asked_at", TIME),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", TIME),
        sa.Column("decision_reason", sa.Text()),
        sa.CheckConstraint("reaction IN ('repair', 'report', 'accept')", name=op.f("ck_drift_reaction")),
        sa.CheckConstraint("state IN ('open', 'accepted', 'repaired', 'gone')", name=op.f("ck_drift_state")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_drift_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift")),
    )
    op.create_index(op.f("ix_drift_account_id"), "drift", ["account_id"])
    op.create_index(
        "uq_drift_live",
        "drift",
        ["subject", "attribute"],
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_index("ix_drift_state", "drift", ["state", "first_seen_at"])
    op.create_table(
        "foreign_user",
        sa.Column("idp_user_id", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("idp_user_id", name=op.f("pk_foreign_user")),
    )
    op.create_index("ix_foreign_user_last_seen_at", "foreign_user", ["last_seen_at"])


def downgrade() -> None:
    op.drop_table("foreign_user")
    op.drop_table("drift")
    op.drop_table("comparison")
