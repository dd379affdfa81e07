"""Circuits, what an account waits for, and what could not be made of one in quarantine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TIME = sa.DateTime(timezone=True)
WAITS_FOR = "waits_for IN ('keycloak', 'keycloak-import', 'fsm', 'configuration')"
WAITING = sa.text("waits_for IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "circuit",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("openings", sa.Integer(), nullable=False),
        sa.Column("failing_since", TIME),
        sa.Column("opened_at", TIME),
        sa.Column("probe_at", TIME),
        sa.Column("probe_token", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("kind", sa.Text()),
        sa.Column("changed_at", TIME, nullable=False),
        sa.CheckConstraint("name IN ('keycloak', 'keycloak-import', 'fsm')", name=op.f("ck_circuit_name")),
        sa.CheckConstraint("state IN ('closed', 'open', 'half-open')", name=op.f("ck_circuit_state")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_circuit")),
    )
    with op.batch_alter_table("provisioning") as table:
        table.add_column(sa.Column("quarantine_difference", sa.JSON()))
        table.add_column(sa.Column("waits_for", sa.Text()))
        table.add_column(sa.Column("waits_reason", sa.Text()))
        table.add_column(sa.Column("waits_since", TIME))
        table.create_check_constraint(op.f("ck_provisioning_waits_for"), WAITS_FOR)
    op.create_index(
        "ix_provisioning_waits", "provisioning", ["waits_for"], sqlite_where=WAITING, postgresql_where=WAITING
    )


def downgrade() -> None:
    op.drop_index("ix_provisioning_waits", "provisioning")
    with op.batch_alter_table("provisioning") as table:
        table.drop_constraint(op.f("ck_provisioning_waits_for"), type_="check")
        for column in ("waits_since", "waits_reason", "waits_for", "quarantine_difference"):
            table.drop_column(column)
    op.drop_table("circuit")
