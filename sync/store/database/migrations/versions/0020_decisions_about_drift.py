"""A missing user is made anew by the worker that is told so, and a comparison may be asked for by a door."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

ASKED = sa.text("state = 'asked'")
NAME = "ck_comparison_state"


def upgrade() -> None:
    op.add_column("drift", sa.Column("anew_at", sa.DateTime(timezone=True)))
    _states("'asked', 'running', 'done', 'failed', 'interrupted'")
    op.create_index(
        "uq_comparison_asked", "comparison", ["kind"], unique=True, sqlite_where=ASKED, postgresql_where=ASKED
    )


def downgrade() -> None:
    op.drop_index("uq_comparison_asked", "comparison")
    op.execute("DELETE FROM comparison WHERE state = 'asked'")
    _states("'running', 'done', 'failed', 'interrupted'")
    op.drop_column("drift", "anew_at")


def _states(listed: str) -> None:
    with op.batch_alter_table("comparison") as table:
        table.drop_constraint(op.f(NAME), type_="check")
        table.create_check_constraint(op.f(NAME), f"state IN ({listed})")
