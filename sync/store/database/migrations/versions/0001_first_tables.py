"""The first tables: accounts, the work on them, their history, and reviewed runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)
SORTED_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def partial_index(name: str, table: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("idp_user_id", sa.Text()),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("username_key", SORTED_TEXT, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_local", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text()),
        sa.Column("team", sa.Text()),
        sa.Column("data_access", sa.Text()),
        sa.Column("technician_id", sa.Text()),
        sa.Column("employee_number", sa.Text()),
        sa.Column("life", sa.Text(), nullable=False),
        sa.Column("hr_source", sa.Text()),
        sa.Column("hr_id", sa.Text()),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_until", sa.Date()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("first_login_at", TIME),
        sa.Column("last_login_at", TIME),
        sa.CheckConstraint("life IN ('active', 'inactive')", name=op.f("ck_account_life")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_index("ix_account_branch_username_key", "account", ["branch", "username_key"])
    op.create_index("ix_account_email_local", "account", ["email_local"])
    op.create_index("ix_account_name_key", "account", ["name_key", "branch"])
    op.create_index("ix_account_profile_life", "account", ["profile", "life"])
    op.create_index("ix_account_username_key", "account", ["username_key"])
    partial_index(
        "uq_account_employee_number",
        "account",
        ["employee_number"],
        "employee_number IS NOT NULL",
        unique=True,
    )
    partial_index("uq_account_idp_user_id", "account", ["idp_user_id"], "idp_user_id IS NOT NULL", unique=True)
    partial_index(
        "uq_account_technician_id", "account", ["technician_id"], "technician_id IS NOT NULL", unique=True
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_digest", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("confirmed_at", TIME),
        sa.Column("confirmed_by", sa.Text()),
        sa.Column("finished_at", TIME),
        sa.CheckConstraint(
            "state IN ('reviewed', 'confirmed', 'applying', 'paused', 'done', 'cancelled', 'refused')",
            name=op.f("ck_run_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_state", "run", ["state", "created_at"])
    op.create_table(
        "assignment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text()),
        sa.Column("team", sa.Text()),
        sa.Column("data_access", sa.Text()),
        sa.Column("technician_id", sa.Text()),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_assignment_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index("ix_assignment_account_id", "assignment", ["account_id", "at"])
    op.create_table(
        "assignment_stop",
        sa.Column("technician_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("stopped_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_assignment_stop_account_id")),
        sa.PrimaryKeyConstraint("technician_id", name=op.f("pk_assignment_stop")),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint("lane IN ('interactive', 'bulk')", name=op.f("ck_attempt_lane")),
        sa.CheckConstraint(
            "outcome IN ('applied', 'held', 'refused', 'retry', 'quarantined')", name=op.f("ck_attempt_outcome")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_attempt_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_index("ix_attempt_account_id", "attempt", ["account_id", "at"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_audit_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_account_id", "audit", ["account_id", "at"])
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "deactivation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("deadline", TIME),
        sa.Column("after_deadline", sa.Text(), nullable=False),
        sa.Column("work_orders", sa.JSON(), nullable=False),
        sa.Column("held_at", TIME),
        sa.Column("finished_at", TIME),
        sa.CheckConstraint("after_deadline IN ('person', 'force')", name=op.f("ck_deactivation_after_deadline")),
        sa.CheckConstraint("policy IN ('refuse', 'hold', 'force')", name=op.f("ck_deactivation_policy")),
        sa.CheckConstraint(
            "state IN ('requested', 'held', 'completed', 'refused', 'cancelled')",
            name=op.f("ck_deactivation_state"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_deactivation_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deactivation")),
    )
    op.create_index("ix_deactivation_account_id", "deactivation", ["account_id"])
    partial_index(
        "uq_deactivation_open",
        "deactivation",
        ["account_id"],
        "(state IN ('requested', 'held'))",
        unique=True,
    )
    op.create_table(
        "initial_password",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.CheckConstraint("delivery IN ('mail', 'shown')", name=op.f("ck_initial_password_delivery")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_initial_password_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_initial_password")),
    )
    op.create_index(op.f("ix_initial_password_expires_at"), "initial_password", ["expires_at"])
    op.create_table(
        "login_name",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_login_name_account_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_login_name")),
    )
    op.create_index(op.f("ix_login_name_account_id"), "login_name", ["account_id"])
    op.create_table(
        "mail",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("expires_at", TIME),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", TIME),
        sa.Column("lease_token", sa.Text()),
        sa.Column("expired_lease_until", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint(
            "state IN ('waiting', 'due', 'sending', 'sent', 'failed', 'expired')", name=op.f("ck_mail_state")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_mail_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("message_id", name=op.f("uq_mail_message_id")),
    )
    op.create_index(op.f("ix_mail_account_id"), "mail", ["account_id"])
    partial_index("ix_mail_claim", "mail", ["due_at"], "(state IN ('due', 'sending'))")
    op.create_table(
        "observation",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("observed_at", TIME, nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_observation_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_observation")),
    )
    op.create_table(
        "provisioning",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("wanted_version", sa.Integer(), nullable=False),
        sa.Column("applied_version", sa.Integer()),
        sa.Column("applied_fingerprint", sa.Text()),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("lease_until", TIME),
        sa.Column("lease_token", sa.Text()),
        sa.Column("expired_lease_until", TIME),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("quarantine_kind", sa.Text()),
        sa.Column("quarantine_reason", sa.Text()),
        sa.Column("held_work_orders", sa.JSON()),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("lane IN ('interactive', 'bulk')", name=op.f("ck_provisioning_lane")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_provisioning_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_provisioning")),
    )
    partial_index(
        "ix_provisioning_claim",
        "provisioning",
        ["lane", "due_at", "account_id"],
        "due_at IS NOT NULL AND quarantine_kind IS NULL",
    )
    partial_index("ix_provisioning_quarantine", "provisioning", ["quarantine_kind"], "quarantine_kind IS NOT NULL")
    op.create_table(
        "run_row",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("original", sa.JSON(), nullable=False),
        sa.Column("parsed", sa.JSON()),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("messages", sa.JSON(), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("base_version", sa.Integer()),
        sa.Column("login_key", sa.Text()),
        sa.Column("employee_number", sa.Text()),
        sa.Column("result", sa.Text()),
        sa.Column("result_message", sa.Text()),
        sa.Column("applied_version", sa.Integer()),
        sa.CheckConstraint("result IN ('applied', 'refused', 'failed')", name=op.f("ck_run_row_result")),
        sa.CheckConstraint(
            "verdict IN ('create', 'update', 'unchanged', 'error')", name=op.f("ck_run_row_verdict")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_row_run_id")),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_run_row")),
    )
    partial_index(
        "ix_run_row_pending",
        "run_row",
        ["run_id", "number"],
        "(result IS NULL AND verdict IN ('create', 'update'))",
    )
    op.create_table(
        "stranded_work_order",
        sa.Column("technician_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("date", sa.Date()),
        sa.Column("holds", sa.JSON(), nullable=False),
        sa.Column("found_at", TIME, nullable=False),
        sa.Column("resolved_at", TIME),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_stranded_work_order_account_id")),
        sa.PrimaryKeyConstraint("technician_id", "number", name=op.f("pk_stranded_work_order")),
    )
    partial_index(
        "ix_stranded_work_order_open",
        "stranded_work_order",
        ["technician_id", "number"],
        "(resolved_at IS NULL)",
    )
    _make_audit_append_only()


def downgrade() -> None:
    for table in (
        "stranded_work_order",
        "run_row",
        "provisioning",
        "observation",
        "mail",
        "login_name",
        "initial_password",
        "deactivation",
        "audit",
        "attempt",
        "assignment_stop",
        "assignment",
        "run",
        "account",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_append_only()")


def _make_audit_append_only() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            """
            CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'audit is append-only';
            END $$
            """
        )
        op.execute(
            "CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_refuses_{event.lower()} BEFORE {event} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
        )
