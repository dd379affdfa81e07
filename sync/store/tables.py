"""The tables of our database and what each is for. The migrations create them; a test compares the two.

Accounts are never deleted, so nothing cascades. What is unique "where present" is a partial index, not a
constraint: on PostgreSQL the change of a key that a foreign key could name locks the account against every row
that refers to it, and a worker and a command could wait for each other.
"""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy import (
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from sync.domain.account import Life
from sync.domain.deactivation import DeactivationState
from sync.domain.gate import GatePolicy
from sync.domain.lane import Lane
from sync.store.columns import SORTED_TEXT, JsonObject, TextList, UtcDateTime, WorkOrderList, condition, one_of

Outcome = Literal["applied", "held", "refused", "retry", "quarantined"]
Delivery = Literal["mail", "shown"]
MailState = Literal["waiting", "due", "sending", "sent", "failed", "expired"]
RunState = Literal["reviewed", "confirmed", "applying", "paused", "done", "cancelled", "refused"]
RowVerdict = Literal["create", "update", "unchanged", "error"]
RowResult = Literal["applied", "refused", "failed"]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

OPEN_DEACTIVATION = condition("state IN ('requested', 'held')")
STRANDED = condition("resolved_at IS NULL")
UNSENT = condition("state IN ('due', 'sending')")
PENDING_ROW = condition("result IS NULL AND verdict IN ('create', 'update')")
"""Conditions of partial indexes: a query that uses the very same text uses the index, on SQLite too."""


def _unique_where_present(table: str, column: str) -> Index:
    present = text(f"{column} IS NOT NULL")
    return Index(f"uq_{table}_{column}", column, unique=True, sqlite_where=present, postgresql_where=present)


account = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("idp_user_id", Text),
    Column("username", Text, nullable=False),
    Column("username_key", SORTED_TEXT, nullable=False),
    Column("email", Text, nullable=False),
    Column("email_local", Text, nullable=False),
    Column("given_name", Text, nullable=False),
    Column("family_name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("search_text", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("branch", Text),
    Column("team", Text),
    Column("data_access", Text),
    Column("technician_id", Text),
    Column("employee_number", Text),
    Column("life", Text, nullable=False),
    Column("hr_source", Text),
    Column("hr_id", Text),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("created_at", UtcDateTime, nullable=False),
    Column("first_login_at", UtcDateTime),
    Column("last_login_at", UtcDateTime),
    one_of("life", Life),
    Index("ix_account_username_key", "username_key"),
    _unique_where_present("account", "idp_user_id"),
    _unique_where_present("account", "employee_number"),
    _unique_where_present("account", "technician_id"),
    Index("ix_account_name_key", "name_key", "branch"),
    Index("ix_account_email_local", "email_local"),
    Index("ix_account_profile_life", "profile", "life"),
    Index("ix_account_branch_username_key", "branch", "username_key"),
)
"""One row an account: the fields of `sync.domain.account.Account` and the keys made from them in Python
(`*_key`, `email_local`, `search_text`), because the two databases fold letters differently."""

login_name = Table(
    "login_name",
    metadata,
    Column("key", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
)
"""Every distinct `login_key` of the username and e-mail of every account: Keycloak has one namespace (A2)."""

provisioning = Table(
    "provisioning",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("wanted_version", Integer, nullable=False),
    Column("applied_version", Integer),
    Column("applied_fingerprint", Text),
    Column("lane", Text, nullable=False),
    Column("due_at", UtcDateTime),
    Column("asked", Integer, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("lease_token", Text),
    Column("expired_lease_until", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("quarantine_kind", Text),
    Column("quarantine_reason", Text),
    Column("held_work_orders", WorkOrderList),
    Column("updated_at", UtcDateTime, nullable=False),
    one_of("lane", (Lane.INTERACTIVE, Lane.BULK)),
    Index(
        "ix_provisioning_claim",
        "lane",
        "due_at",
        "account_id",
        sqlite_where=text("due_at IS NOT NULL AND quarantine_kind IS NULL"),
        postgresql_where=text("due_at IS NOT NULL AND quarantine_kind IS NULL"),
    ),
    Index(
        "ix_provisioning_quarantine",
        "quarantine_kind",
        sqlite_where=text("quarantine_kind IS NOT NULL"),
        postgresql_where=text("quarantine_kind IS NOT NULL"),
    ),
)
"""The work on each account. `asked` counts every request to look; a worker that finishes an older request
leaves the account due. `expired_lease_until` is set while a lease was taken over from one that ran out."""

observation = Table(
    "observation",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("observed_at", UtcDateTime, nullable=False),
    Column("state", JsonObject, nullable=False),
)
"""What Keycloak said at the last look, without names and addresses."""

assignment = Table(
    "assignment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("door", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("branch", Text),
    Column("team", Text),
    Column("data_access", Text),
    Column("technician_id", Text),
    Index("ix_assignment_account_id", "account_id", "at"),
)
"""The history of who was given what, when, by whom and why (A7)."""

deactivation = Table(
    "deactivation",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("policy", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("door", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("deadline", UtcDateTime),
    Column("after_deadline", Text, nullable=False),
    Column("work_orders", WorkOrderList, nullable=False),
    Column("held_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    one_of("policy", GatePolicy),
    one_of("state", DeactivationState),
    one_of("after_deadline", ("person", "force")),
    Index(
        "uq_deactivation_open",
        "account_id",
        unique=True,
        sqlite_where=OPEN_DEACTIVATION,
        postgresql_where=OPEN_DEACTIVATION,
    ),
    Index("ix_deactivation_account_id", "account_id"),
)
"""Every request to deactivate and how it ended; at most one open for an account (D4)."""

stranded_work_order = Table(
    "stranded_work_order",
    metadata,
    Column("technician_id", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("date", Date),
    Column("holds", TextList, nullable=False),
    Column("found_at", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime),
    Index(
        "ix_stranded_work_order_open",
        "technician_id",
        "number",
        sqlite_where=STRANDED,
        postgresql_where=STRANDED,
    ),
)
"""Open work orders of a technician who lost access: they need another technician (D4)."""

assignment_stop = Table(
    "assignment_stop",
    metadata,
    Column("technician_id", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("stopped_at", UtcDateTime, nullable=False),
)
"""Technicians whom we stopped from getting new work: only a stop of ours is ever undone (rule 5)."""

initial_password = Table(
    "initial_password",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("delivery", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    one_of("delivery", get_args(Delivery)),
)
"""A temporary password until it is delivered or expires, encrypted; then the row is gone (rule 12)."""

mail = Table(
    "mail",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message_id", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("lease_token", Text),
    Column("expired_lease_until", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("error", Text),
    one_of("state", get_args(MailState)),
    Index(
        "ix_mail_claim",
        "due_at",
        sqlite_where=UNSENT,
        postgresql_where=UNSENT,
    ),
)
"""The outbox: mails wait for the account to be in Keycloak, become due, are sent once (F7)."""

audit = Table(
    "audit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("door", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("account_id", ForeignKey("account.id")),
    Column("before", JsonObject),
    Column("after", JsonObject),
    Column("reason", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Index("ix_audit_account_id", "account_id", "at"),
    Index("ix_audit_at", "at"),
)
"""Who did what to whom, when, why and through which door (G1). Triggers refuse to change or remove a row."""

attempt = Table(
    "attempt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("lane", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("changes", TextList, nullable=False),
    Column("error", Text),
    one_of("lane", (Lane.INTERACTIVE, Lane.BULK)),
    one_of("outcome", get_args(Outcome)),
    Index("ix_attempt_account_id", "account_id", "at"),
)
"""What workers did to an account in Keycloak, for its timeline."""

run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_digest", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("door", Text, nullable=False),
    Column("counts", JsonObject, nullable=False),
    Column("options", JsonObject, nullable=False),
    Column("confirmed_at", UtcDateTime),
    Column("confirmed_by", Text),
    Column("finished_at", UtcDateTime),
    one_of("state", get_args(RunState)),
    Index("ix_run_state", "state", "created_at"),
)
"""A reviewed batch, such as an import: what was reviewed, who confirmed it, how far it is (F2-F4)."""

run_row = Table(
    "run_row",
    metadata,
    Column("run_id", ForeignKey("run.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("original", JsonObject, nullable=False),
    Column("parsed", JsonObject),
    Column("verdict", Text, nullable=False),
    Column("changes", JsonObject, nullable=False),
    Column("messages", JsonObject, nullable=False),
    Column("account_id", Text),
    Column("base_version", Integer),
    Column("login_key", Text),
    Column("employee_number", Text),
    Column("result", Text),
    Column("result_message", Text),
    Column("applied_version", Integer),
    one_of("verdict", get_args(RowVerdict)),
    one_of("result", get_args(RowResult)),
    Index("ix_run_row_pending", "run_id", "number", sqlite_where=PENDING_ROW, postgresql_where=PENDING_ROW),
)
"""One row of a run. `number` is the row's place in the source. `account_id` is the account it changes, or the
id chosen for the one it will create; there is no foreign key, for that account may not exist yet."""
