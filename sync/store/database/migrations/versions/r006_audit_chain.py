"""The audit chain: entries that wait for their number, filled by triggers, and the numbered links.

Entries that are there already wait for their number like new ones.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r006"
down_revision = "r005"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "audit_waiting",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_waiting")),
    )
    op.create_table(
        "audit_chain",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_chain")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_chain_entry_id")),
    )
    if op.get_bind().dialect.name == "postgresql":
        _triggers_of_postgresql()
    else:
        _triggers_of_sqlite()
    op.execute("INSERT INTO audit_waiting (entry_id, at) SELECT id, at FROM audit")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_waits ON audit")
        op.execute("DROP FUNCTION audit_waits()")
    else:
        op.execute("DROP TRIGGER audit_waits")
    op.drop_table("audit_chain")
    op.drop_table("audit_waiting")


def _triggers_of_postgresql() -> None:
    op.execute(
        """
        CREATE FUNCTION audit_waits() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO audit_waiting (entry_id, at) SELECT id, at FROM added;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER audit_waits AFTER INSERT ON audit REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_waits()"
    )
    op.execute(
        "CREATE TRIGGER audit_chain_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )


def _triggers_of_sqlite() -> None:
    op.execute(
        "CREATE TRIGGER audit_waits AFTER INSERT ON audit "
        "BEGIN INSERT INTO audit_waiting (entry_id, at) VALUES (NEW.id, NEW.at); END"
    )
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_chain_refuses_{event.lower()} BEFORE {event} ON audit_chain "
            "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
        )
