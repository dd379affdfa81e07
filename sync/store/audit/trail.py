"""What was asked for, by whom and why: the audit trail, and beside it what each account was given.

Entries are only ever added (triggers of the database refuse the rest); writers see to it that no secret is in them
(A7, G1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import Row, or_, select

from sync.domain.access import callers
from sync.domain.access.callers import CallerKey
from sync.domain.access.cause import Cause, way
from sync.domain.accounts.account import Account
from sync.store.database.ids import new_id
from sync.store.database.tables import assignment
from sync.store.database.tables import audit as audit_entries
from sync.store.database.transactions import Tx


def audit(
    tx: Tx,
    *,
    account_id: str | None,
    action: str,
    changed: Mapping[str, tuple[object, object]],
    by: Cause,
    now: datetime,
    correlation_id: str | None = None,
) -> str:
    """Add an entry; `changed` maps a field to its value before and after. Returns the entry's id.

    `correlation_id` joins what one request or run did; None: the entry stands alone.
    """
    (entry_id,) = audit_all(
        tx, [(account_id, changed)], action=action, by=by, now=now, correlation_id=correlation_id
    )
    return entry_id


def audit_all(
    tx: Tx,
    changed: Sequence[tuple[str | None, Mapping[str, tuple[object, object]]]],
    *,
    action: str,
    by: Cause,
    now: datetime,
    correlation_id: str | None = None,
) -> tuple[str, ...]:
    """`audit` for many accounts that met the same: each account's id, and what changed of it."""
    rows = [
        {
            "id": entry_id,
            "at": now,
            **_who(by),
            "actor": by.name,
            "action": action,
            "account_id": account_id,
            "before": {name: _plain(pair[0]) for name, pair in pairs.items()},
            "after": {name: _plain(pair[1]) for name, pair in pairs.items()},
            "reason": by.reason,
            "correlation_id": correlation_id or entry_id,
        }
        for account_id, pairs in changed
        for entry_id in [new_id(now)]
    ]
    if rows:
        tx.connection.execute(audit_entries.insert(), rows)
    return tuple(str(row["id"]) for row in rows)


def record_assignments(tx: Tx, accounts: Sequence[Account], by: Cause, now: datetime) -> None:
    """Keep what each account has been given from now on: profile, branch, team, data access, technician (A7)."""
    rows = [
        {
            "id": new_id(now),
            "account_id": account.id,
            "at": now,
            **_who(by),
            "by": by.name,
            "reason": by.reason,
            "profile": account.profile,
            "branch": account.branch,
            "team": account.team,
            "data_access": account.data_access,
            "technician_id": account.technician_id,
        }
        for account in accounts
    ]
    if rows:
        tx.connection.execute(assignment.insert(), rows)


def _who(by: Cause) -> dict[str, object]:
    """Door, origin and caller, as both tables keep them."""
    caller = callers.key_of(by.caller)
    return {
        "door": by.door,
        "origin": by.origin.value,
        "caller_kind": caller.kind,
        "caller_id": caller.id,
        "caller_host": caller.host,
    }


def caller_of(row: Row[Any]) -> CallerKey:
    """Who stands in a row of either table."""
    return CallerKey(row.caller_kind, row.caller_id, row.caller_host)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What an account had from `at` until the next assignment. `door` names the origin as well."""

    at: datetime
    by: str
    caller: CallerKey
    door: str
    reason: str
    profile: str
    branch: str | None
    team: str | None
    data_access: str | None
    technician_id: str | None


def assignments(tx: Tx, account_id: str) -> tuple[Assignment, ...]:
    """The oldest first."""
    rows = tx.connection.execute(
        select(assignment).where(assignment.c.account_id == account_id).order_by(assignment.c.at, assignment.c.id)
    )
    return tuple(
        Assignment(
            at=row.at,
            by=row.by,
            caller=caller_of(row),
            door=way(row.door, row.origin),
            reason=row.reason,
            profile=row.profile,
            branch=row.branch,
            team=row.team,
            data_access=row.data_access,
            technician_id=row.technician_id,
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """Fields of an account before and after it was wanted otherwise, as JSON holds them."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]


def wishes(tx: Tx, account_id: str) -> tuple[Wish, ...]:
    """The entries about an account that stand beside another version of what is wanted, the oldest first. What
    makes a version without such an entry is in none of them."""
    action = audit_entries.c.action
    made = or_(
        action.in_(("create", "create again", "reactivate", "begin")),
        action.startswith("change"),
        action.startswith("deactivat"),
    )
    found = select(audit_entries).where(audit_entries.c.account_id == account_id, made)
    rows = tx.connection.execute(found.order_by(audit_entries.c.at, audit_entries.c.id))
    return tuple(Wish(row.before or {}, row.after or {}) for row in rows)


def _plain(value: object) -> object:
    """As JSON holds it."""
    match value:
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case _:
            return value
