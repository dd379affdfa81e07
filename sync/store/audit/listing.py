"""The audit trail as a list, the newest first, each entry with its place in the chain (G1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from sync.domain.access.callers import CallerKey
from sync.domain.access.cause import way
from sync.store.audit.trail import caller_of
from sync.store.database.tables import account, audit_chain
from sync.store.database.tables import audit as audit_entries
from sync.store.database.transactions import Tx


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Parts are joined by "and"; None filters nothing. `since` is included, `until` is not; `after` is the last
    entry of the page before."""

    account_id: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`number` is its place in the chain; None: it has none yet. `door` names the origin as well."""

    number: int | None
    id: str
    at: datetime
    actor: str
    caller: CallerKey
    door: str
    action: str
    account_id: str | None
    username: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str
    correlation_id: str


def entries(tx: Tx, branch: str | None, query: AuditQuery) -> tuple[AuditEntry, ...]:
    """The newest first. `branch` None: all; else only of accounts that are in it."""
    wanted = (
        select(audit_entries, audit_chain.c.number, account.c.username)
        .outerjoin(audit_chain, audit_chain.c.entry_id == audit_entries.c.id)
        .outerjoin(account, account.c.id == audit_entries.c.account_id)
        .order_by(audit_entries.c.at.desc(), audit_entries.c.id.desc())
        .limit(query.limit)
    )
    at = audit_entries.c.at
    for column, value in (
        (account.c.branch, branch),
        (audit_entries.c.account_id, query.account_id),
        (audit_entries.c.action, query.action),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if query.since is not None:
        wanted = wanted.where(at >= query.since)
    if query.until is not None:
        wanted = wanted.where(at < query.until)
    if query.after is not None:
        last, last_id = query.after
        wanted = wanted.where(or_(at < last, and_(at == last, audit_entries.c.id < last_id)))
    return tuple(
        AuditEntry(
            number=row.number,
            id=row.id,
            at=row.at,
            actor=row.actor,
            caller=caller_of(row),
            door=way(row.door, row.origin),
            action=row.action,
            account_id=row.account_id,
            username=row.username,
            before=row.before or {},
            after=row.after or {},
            reason=row.reason,
            correlation_id=row.correlation_id,
        )
        for row in tx.connection.execute(wanted)
    )
