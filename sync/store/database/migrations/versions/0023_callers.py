"""Who asked, as what kind of caller, and what made it; a run keeps the cause by which its rows are applied."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    for table in ("audit", "assignment"):
        with op.batch_alter_table(table) as batch:
            batch.alter_column("door", existing_type=sa.Text(), nullable=True)
            batch.add_column(sa.Column("origin", sa.Text(), nullable=False, server_default="person"))
            batch.add_column(sa.Column("caller_kind", sa.Text(), nullable=False, server_default="machine"))
            batch.add_column(sa.Column("caller_id", sa.Text(), nullable=False, server_default=""))
            batch.add_column(sa.Column("caller_host", sa.Text()))
    op.add_column("run", sa.Column("confirmation", sa.JSON()))
    with op.batch_alter_table("reassignment") as batch:
        for column in ("by", "door", "reason"):
            batch.drop_column(column)
        batch.add_column(sa.Column("cause", sa.JSON(), nullable=False))
    _keep_append_only()


def downgrade() -> None:
    with op.batch_alter_table("reassignment") as batch:
        batch.drop_column("cause")
        for column in ("by", "door", "reason"):
            batch.add_column(sa.Column(column, sa.Text(), nullable=False, server_default=""))
    op.drop_column("run", "confirmation")
    for table in ("audit", "assignment"):
        with op.batch_alter_table(table) as batch:
            for column in ("caller_host", "caller_id", "caller_kind", "origin"):
                batch.drop_column(column)
            batch.alter_column("door", existing_type=sa.Text(), nullable=False, server_default="")
    _keep_append_only()


def _keep_append_only() -> None:
    """SQLite makes a changed table anew, without the triggers of the old one."""
    if op.get_bind().dialect.name == "postgresql":
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_refuses_{event.lower()} BEFORE {event} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
        )
