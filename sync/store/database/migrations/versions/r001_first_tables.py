"""The first tables: accounts and what is wanted of them, the work on them, their history, runs, drift, operations."""

# ruff: noqa: E501, PLR0915 - one table after the other, conditions as the database shows them

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r001"
down_revision = None

TIME = sa.DateTime(timezone=True)
SORTED_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text that both databases sort by code point."""


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
        sa.Column("attributes", sa.JSON(), server_default="{}", nullable=False),
        sa.CheckConstraint("life IN ('active', 'inactive')", name=op.f("ck_account_life")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_index("ix_account_branch_username_key", "account", ["branch", "username_key"])
    op.create_index("ix_account_email_local", "account", ["email_local"])
    op.create_index("ix_account_name_key", "account", ["name_key", "branch"])
    op.create_index("ix_account_profile_life", "account", ["profile", "life"])
    op.create_index("ix_account_username_key", "account", ["username_key"])
    partial_index(
        "uq_account_employee_number", "account", ["employee_number"], "employee_number IS NOT NULL", unique=True
    )
    partial_index("uq_account_idp_user_id", "account", ["idp_user_id"], "idp_user_id IS NOT NULL", unique=True)
    partial_index(
        "uq_account_technician_id", "account", ["technician_id"], "technician_id IS NOT NULL", unique=True
    )
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
    op.create_table(
        "comparison",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("users", sa.Integer(), nullable=False),
        sa.Column("memberships", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("differing", sa.Integer(), nullable=False),
        sa.Column("foreign_users", sa.Integer(), nullable=False),
        sa.Column("repairs", sa.Integer(), nullable=False),
        sa.Column("error_kind", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint("kind IN ('comparison', 'attribute-pass')", name=op.f("ck_comparison_kind")),
        sa.CheckConstraint(
            "state IN ('asked', 'running', 'done', 'failed', 'interrupted')", name=op.f("ck_comparison_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparison")),
    )
    op.create_index("ix_comparison_started_at", "comparison", ["kind", "started_at"])
    partial_index("uq_comparison_asked", "comparison", ["kind"], "state = 'asked'", unique=True)
    partial_index("uq_comparison_running", "comparison", ["kind"], "state = 'running'", unique=True)
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
    op.create_table(
        "lane_pause",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("paused_at", TIME, nullable=False),
        sa.Column("paused_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "lane IN ('interactive', 'bulk', 'mail', 'reconcile')", name=op.f("ck_lane_pause_lane")
        ),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_lane_pause")),
    )
    op.create_table(
        "latency",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("le", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.CheckConstraint("lane IN ('interactive', 'bulk')", name=op.f("ck_latency_lane")),
        sa.PrimaryKeyConstraint("lane", "slot", "le", name=op.f("pk_latency")),
    )
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
    op.create_table(
        "policy",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("adopted_at", TIME, nullable=False),
        sa.Column("adopted_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy")),
    )
    op.create_table(
        "push_count",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("minute", TIME, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "kind", "minute", name=op.f("pk_push_count")),
    )
    op.create_table(
        "reassignment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("technician_id", sa.Text(), nullable=False),
        sa.Column("to_technician_id", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("cause", sa.JSON(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", TIME),
        sa.Column("lease_token", sa.Text()),
        sa.Column("held_by", sa.Text()),
        sa.Column("takeovers", sa.Integer(), server_default="0", nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("failure", sa.Text()),
        sa.Column("finished_at", TIME),
        sa.CheckConstraint("state IN ('waiting', 'done', 'failed')", name=op.f("ck_reassignment_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reassignment")),
    )
    partial_index("uq_reassignment_open", "reassignment", ["technician_id"], "(state = 'waiting')", unique=True)
    op.create_table(
        "run",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_digest", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("cause", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("confirmed_at", TIME),
        sa.Column("confirmation", sa.JSON()),
        sa.Column("finished_at", TIME),
        sa.Column("turn_at", TIME),
        sa.Column("held_reasons", sa.JSON()),
        sa.Column("approved_at", TIME),
        sa.Column("approval", sa.JSON()),
        sa.CheckConstraint("kind IN ('import', 'mappings', 'repair', 'adoption')", name=op.f("ck_run_kind")),
        sa.CheckConstraint(
            "state IN ('asked', 'reviewed', 'held', 'confirmed', 'applying', 'paused', 'done', 'cancelled', 'refused')",
            name=op.f("ck_run_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_state", "run", ["state", "created_at"])
    op.create_table(
        "schedule",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("lease_until", TIME),
        sa.Column("lease_token", sa.Text()),
        sa.Column("held_by", sa.Text()),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("takeovers", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error_kind", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_schedule")),
    )
    op.create_table(
        "trouble",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_trouble")),
    )
    op.create_table(
        "worker",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("lanes", sa.JSON(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("doing", sa.Text()),
        sa.Column("trouble", sa.Text()),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker")),
    )
    op.create_table(
        "process",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process")),
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("door", sa.Text()),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("caller_kind", sa.Text(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("caller_host", sa.Text()),
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
        "attribute_value",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_attribute_value_account_id")),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_attribute_value")),
    )
    op.create_index("ix_attribute_value_key", "attribute_value", ["key", "text"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("door", sa.Text()),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("caller_kind", sa.Text(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("caller_host", sa.Text()),
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
        sa.Column("cause", sa.JSON(), nullable=False),
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
        "uq_deactivation_open", "deactivation", ["account_id"], "(state IN ('requested', 'held'))", unique=True
    )
    op.create_table(
        "drift",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), server_default="", nullable=False),
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
        sa.Column("anew_at", TIME),
        sa.Column("decision", sa.JSON()),
        sa.Column("decided_at", TIME),
        sa.CheckConstraint("reaction IN ('repair', 'report', 'accept')", name=op.f("ck_drift_reaction")),
        sa.CheckConstraint("state IN ('open', 'accepted', 'repaired', 'gone')", name=op.f("ck_drift_state")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_drift_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift")),
    )
    op.create_index("ix_drift_account_id", "drift", ["account_id"])
    op.create_index("ix_drift_state", "drift", ["state", "first_seen_at"])
    partial_index(
        "uq_drift_live", "drift", ["subject", "attribute", "key"], "state IN ('open', 'accepted')", unique=True
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
    op.create_index("ix_initial_password_expires_at", "initial_password", ["expires_at"])
    op.create_table(
        "login_name",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_login_name_account_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_login_name")),
    )
    op.create_index("ix_login_name_account_id", "login_name", ["account_id"])
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
        sa.Column("held_by", sa.Text()),
        sa.Column("takeovers", sa.Integer(), server_default="0", nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("error", sa.Text()),
        sa.Column("may_have_left", sa.Boolean()),
        sa.CheckConstraint(
            "state IN ('waiting', 'due', 'sending', 'sent', 'failed', 'expired')", name=op.f("ck_mail_state")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_mail_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("message_id", name=op.f("uq_mail_message_id")),
    )
    op.create_index("ix_mail_account_id", "mail", ["account_id"])
    partial_index("ix_mail_claim", "mail", ["due_at"], "(state IN ('due', 'sending'))")
    partial_index("ix_mail_leased", "mail", ["id"], "(lease_token IS NOT NULL)")
    partial_index("ix_mail_not_sent", "mail", ["state"], "(state <> 'sent')")
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
        sa.Column("wanted_at", TIME),
        sa.Column("applied_version", sa.Integer()),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("lease_until", TIME),
        sa.Column("lease_token", sa.Text()),
        sa.Column("held_by", sa.Text()),
        sa.Column("takeovers", sa.Integer(), server_default="0", nullable=False),
        sa.Column("interrupted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("quarantine_kind", sa.Text()),
        sa.Column("quarantine_code", sa.Text()),
        sa.Column("quarantine_reason", sa.Text()),
        sa.Column("quarantine_difference", sa.JSON()),
        sa.Column("held_work_orders", sa.JSON()),
        sa.Column("waits_for", sa.Text()),
        sa.Column("waits_code", sa.Text()),
        sa.Column("waits_reason", sa.Text()),
        sa.Column("waits_since", TIME),
        sa.Column("waits_attempts", sa.Integer()),
        sa.Column("look_asked_at", TIME),
        sa.Column("look_failure", sa.Text()),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("lane IN ('interactive', 'bulk')", name=op.f("ck_provisioning_lane")),
        sa.CheckConstraint(
            "waits_for IN ('keycloak', 'keycloak-import', 'fsm', 'configuration')",
            name=op.f("ck_provisioning_waits_for"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_provisioning_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_provisioning")),
    )
    partial_index(
        "ix_provisioning_claim",
        "provisioning",
        ["lane", "due_at", "account_id"],
        "due_at IS NOT NULL AND quarantine_kind IS NULL",
    )
    partial_index("ix_provisioning_held", "provisioning", ["account_id"], "held_work_orders IS NOT NULL")
    partial_index("ix_provisioning_leased", "provisioning", ["account_id"], "lease_token IS NOT NULL")
    partial_index("ix_provisioning_look", "provisioning", ["look_asked_at"], "look_asked_at IS NOT NULL")
    partial_index("ix_provisioning_quarantine", "provisioning", ["quarantine_kind"], "quarantine_kind IS NOT NULL")
    partial_index("ix_provisioning_waits", "provisioning", ["waits_for"], "waits_for IS NOT NULL")
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
        "ix_stranded_work_order_open", "stranded_work_order", ["technician_id", "number"], "(resolved_at IS NULL)"
    )
    op.create_table(
        "act",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("cause", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("expires_at", TIME),
        sa.Column("mail_id", sa.Text()),
        sa.Column("due_at", TIME),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("found", sa.JSON()),
        sa.Column("finished_at", TIME),
        sa.Column("outcome", sa.Text()),
        sa.CheckConstraint(
            "kind IN ('reset-password', 'set-password-mail', 'require-password-change', 'unlock', 'end-sessions', 'reset-second-factor', 'release-user', 'expire-password')",
            name=op.f("ck_act_kind"),
        ),
        sa.CheckConstraint("lane IN ('interactive', 'bulk')", name=op.f("ck_act_lane")),
        sa.CheckConstraint("state IN ('waiting', 'started', 'done', 'failed')", name=op.f("ck_act_state")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_act_account_id")),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_act_mail_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
    )
    op.create_index("ix_act_account_id", "act", ["account_id", "id"])
    partial_index("ix_act_due", "act", ["due_at"], "(state IN ('waiting', 'started'))")
    partial_index("ix_act_open", "act", ["account_id", "id"], "(state IN ('waiting', 'started'))")
    partial_index("ix_act_sealed", "act", ["expires_at"], "(sealed IS NOT NULL)")
    partial_index("uq_act_mail_id", "act", ["mail_id"], "mail_id IS NOT NULL", unique=True)
    _make_audit_append_only()


def downgrade() -> None:
    for table in (
        "act",
        "stranded_work_order",
        "run_row",
        "provisioning",
        "observation",
        "mail",
        "login_name",
        "initial_password",
        "drift",
        "deactivation",
        "audit",
        "attribute_value",
        "attempt",
        "assignment_stop",
        "assignment",
        "worker",
        "process",
        "trouble",
        "schedule",
        "run",
        "reassignment",
        "push_count",
        "policy",
        "login_gap",
        "login_failure",
        "login_activity",
        "latency",
        "lane_pause",
        "foreign_user",
        "comparison",
        "circuit",
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
