"""One-shot acts on accounts."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from sync.domain.acts import ActKind, ActState
from sync.domain.work.lane import Lane
from sync.store.database.columns import JsonObject, UtcDateTime, condition, one_of
from sync.store.database.tables.metadata import metadata, unique_where_present

OPEN_ACT = condition("state IN ('waiting', 'started')")
SEALED_ACT = condition("sealed IS NOT NULL")

act = Table(
    "act",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("cause", JsonObject, nullable=False),
    Column("options", JsonObject, nullable=False),
    Column("sealed", LargeBinary),
    Column("expires_at", UtcDateTime),
    Column("mail_id", ForeignKey("mail.id")),
    Column("due_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("started_at", UtcDateTime),
    Column("found", JsonObject),
    Column("finished_at", UtcDateTime),
    Column("outcome", Text),
    one_of("kind", ActKind),
    one_of("state", ActState),
    one_of("lane", (Lane.INTERACTIVE, Lane.BULK)),
    Index("ix_act_account_id", "account_id", "id"),
    Index("ix_act_open", "account_id", "id", sqlite_where=OPEN_ACT, postgresql_where=OPEN_ACT),
    Index("ix_act_due", "due_at", sqlite_where=OPEN_ACT, postgresql_where=OPEN_ACT),
    Index("ix_act_sealed", "expires_at", sqlite_where=SEALED_ACT, postgresql_where=SEALED_ACT),
    unique_where_present("act", "mail_id"),
)
"""One row an act, from the door to its end (C1-C3, C6, D6). `cause` is who asked for it and why; `sealed` is the
password of a reset, encrypted, until it is delivered or its time is up (rule: secrets-go); `found` is what was
there right before the act was started."""
