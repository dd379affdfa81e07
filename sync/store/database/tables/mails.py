"""The outbox, and the addresses that mails came back from."""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from sync.store.database.columns import UtcDateTime, condition, lease_columns, one_of
from sync.store.database.tables.metadata import metadata

CURRENT_BOUNCE = condition("is_current")

MailState = Literal["waiting", "due", "sending", "sent", "failed", "expired"]

UNSENT = condition("state IN ('due', 'sending')")
NOT_SENT = condition("state <> 'sent'")
LEASED = condition("lease_token IS NOT NULL")

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
    *lease_columns(),
    Column("finished_at", UtcDateTime),
    Column("error", Text),
    Column("may_have_left", Boolean),
    Column("failure", Text),
    Column("bounced_at", UtcDateTime),
    one_of("state", get_args(MailState)),
    Index(
        "ix_mail_claim",
        "due_at",
        sqlite_where=UNSENT,
        postgresql_where=UNSENT,
    ),
    Index("ix_mail_leased", "id", sqlite_where=LEASED, postgresql_where=LEASED),
    Index("ix_mail_not_sent", "state", sqlite_where=NOT_SENT, postgresql_where=NOT_SENT),
)
"""The outbox: mails wait for the account to be in Keycloak, become due, are sent once (F7). `may_have_left` is of
one that failed; None: not known. `failure` is the code of what `error` says. One that came back at `bounced_at`
was sent at `finished_at` and has failed. `takeovers` are the workers that ended over it: it may have been sent."""

bounce = Table(
    "bounce",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("address", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Index("ix_bounce_current", "account_id", sqlite_where=CURRENT_BOUNCE, postgresql_where=CURRENT_BOUNCE),
)
"""A row an address (as `login_key`) that an account has or had. `at` is when the last mail came back, `reason`
what was said of it. `is_current`: it is the account's address now, and nobody has said that mails arrive again;
when somebody did is `withdrawn_at`, and older news does not count any more (F7)."""
