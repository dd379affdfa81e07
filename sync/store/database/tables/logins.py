"""When people logged in, and what of it may have been missed."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from sync.store.database.columns import UtcDateTime
from sync.store.database.tables.metadata import metadata

login_activity = Table(
    "login_activity",
    metadata,
    Column("idp_user_id", Text, primary_key=True),
    Column("first_login_at", UtcDateTime),
    Column("last_login_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("last_failure_at", UtcDateTime),
)
"""What Keycloak's events said of one user. Kept by Keycloak's id and not with the account: commands and the
reading of events never wait for each other, a user that is adopted later brings what was known, and somebody who
logs in before the account knows its user is not lost (A9)."""

login_failure = Table(
    "login_failure",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("idp_user_id", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_login_failure_idp_user_id", "idp_user_id", "at"),
    Index("ix_login_failure_at", "at"),
)
"""The failed attempts of the last minutes, which may be read again: each is counted once."""

login_gap = Table(
    "login_gap",
    metadata,
    Column("begins", UtcDateTime, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("ends", UtcDateTime, nullable=False),
)
"""Between the two, logins may have been missed. `ends` moves on while the reason lasts."""
