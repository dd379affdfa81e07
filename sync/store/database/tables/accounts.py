"""Accounts, the names they log in with, what they were given, and what Keycloak last said of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, get_args

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, LargeBinary, Table, Text, false, text

from sync.domain.accounts.account import Life
from sync.store.database.columns import SORTED_TEXT, JsonObject, UtcDateTime, condition, one_of
from sync.store.database.tables.metadata import metadata, unique_where_present

Delivery = Literal["mail", "shown"]

EXPECTED = condition("expected")
ENDS = condition("valid_until IS NOT NULL AND life = 'active'")

FOR_GOOD = datetime(9999, 12, 31, tzinfo=UTC)
"""The end of a lockout that only a person ends."""

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
    Column("expected", Boolean, nullable=False, server_default=false()),
    Column("hr_source", Text),
    Column("hr_id", Text),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("created_at", UtcDateTime, nullable=False),
    Column("attributes", JsonObject, nullable=False, server_default="{}"),
    one_of("life", (Life.ACTIVE, Life.INACTIVE)),
    Index("ix_account_username_key", "username_key"),
    unique_where_present("account", "idp_user_id"),
    unique_where_present("account", "employee_number"),
    unique_where_present("account", "technician_id"),
    Index("ix_account_name_key", "name_key", "branch"),
    Index("ix_account_email_local", "email_local"),
    Index("ix_account_profile_life", "profile", "life"),
    Index("ix_account_branch_username_key", "branch", "username_key"),
    Index("ix_account_expected", "valid_from", sqlite_where=EXPECTED, postgresql_where=EXPECTED),
    Index("ix_account_ends", "valid_until", sqlite_where=ENDS, postgresql_where=ENDS),
)
"""One row an account: the fields of `sync.domain.accounts.account.Account` and the keys made from them in Python
(`*_key`, `email_local`, `search_text`), because the two databases fold letters differently. `expected`: it is
inactive because its first day is to come, so that whoever asks for active ones alone never finds it."""

joiner = Table(
    "joiner",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
)
"""Accounts whose welcome mail is to come, some days before their first day (E4)."""

login_name = Table(
    "login_name",
    metadata,
    Column("key", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
)
"""Every distinct `login_key` of the username and e-mail of every account: Keycloak has one
namespace (A2, fact: names-are-one-namespace)."""

attribute_value = Table(
    "attribute_value",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Index("ix_attribute_value_key", "key", "text"),
)
"""The values of the attributes that a company has added, a row each: accounts are found and values are counted by
them (A10). The row of the account has them too, so that whoever locks it reads them as they are then."""

assignment = Table(
    "assignment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("door", Text),
    Column("origin", Text, nullable=False),
    Column("caller_kind", Text, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("caller_host", Text),
    Column("reason", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("branch", Text),
    Column("team", Text),
    Column("data_access", Text),
    Column("technician_id", Text),
    Index("ix_assignment_account_id", "account_id", "at"),
)
"""The history of who was given what, when, by whom and why (A7)."""

observation = Table(
    "observation",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("observed_at", UtcDateTime, nullable=False),
    Column("read_at", UtcDateTime),
    Column("locked_until", UtcDateTime),
    Column("state", JsonObject, nullable=False),
    Index(
        "ix_observation_as_sent",
        "account_id",
        sqlite_where=text("read_at IS NULL"),
        postgresql_where=text("read_at IS NULL"),
    ),
    Index(
        "ix_observation_locked_until",
        "locked_until",
        sqlite_where=text("locked_until IS NOT NULL"),
        postgresql_where=text("locked_until IS NOT NULL"),
    ),
)
"""What Keycloak said at the last look, without names and addresses. `read_at` NULL: nobody has looked, it is what
was
sent. `locked_until` is the end of a lockout, `FOR_GOOD` of one that has none."""

initial_password = Table(
    "initial_password",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("delivery", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    one_of("delivery", get_args(Delivery)),
)
"""A temporary password until it is delivered or expires, encrypted; then the row is gone (rule: secrets-go)."""
