"""What happened to an account and why: the audit trail, the assignments, and the timeline that joins all of it.

Audit entries are only ever added (triggers of the database refuse the rest); writers see to it that no secret
is in them (A7, G1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any, Literal

from sqlalchemy import Row, and_, or_, select

from sync.domain.access import callers
from sync.domain.access.callers import CallerKey
from sync.domain.access.cause import Cause, way
from sync.domain.accounts.account import Account
from sync.domain.deactivation.request import DeactivationState
from sync.domain.drift.touches import drift_told, listed, whom
from sync.store import acts
from sync.store.database.ids import new_id
from sync.store.database.tables import account, assignment, attempt, audit_chain, deactivation, mail
from sync.store.database.tables import audit as audit_entries
from sync.store.database.transactions import Tx
from sync.store.drift import touches
from sync.store.drift.touches import CLOCKS


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


def _caller(row: Row[Any]) -> CallerKey:
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
            caller=_caller(row),
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
            caller=_caller(row),
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


EntryKind = Literal["asked", "keycloak", "act", "deactivation", "mail"]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of an account's story. `kind` "asked": somebody wanted something; "keycloak": a worker tried it.

    `title` is what happened, `details` the lines below it; `actor`, `door` and `reason` are empty, and `caller` is
    None, where nobody acted.
    """

    at: datetime
    kind: EntryKind
    title: str
    details: tuple[str, ...] = ()
    actor: str = ""
    door: str = ""
    reason: str = ""
    caller: CallerKey | None = None
    order: str = field(default="", repr=False)


def timeline(tx: Tx, account_id: str) -> tuple[TimelineEntry, ...]:
    """Everything that happened to the account, in the order of time (E6, H3).

    Assignments are not in it: each stands beside an audit entry of the same commit.
    """
    entries = [
        *_asked(tx, account_id),
        *_tried(tx, account_id),
        *_carried_out(tx, account_id),
        *_deactivated(tx, account_id),
        *_mailed(tx, account_id),
    ]
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.order)))


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


def _asked(tx: Tx, account_id: str) -> Iterator[TimelineEntry]:
    rows = tx.connection.execute(select(audit_entries).where(audit_entries.c.account_id == account_id))
    for row in rows:
        before, after = row.before or {}, row.after or {}
        details = tuple(
            f"{name}: {_shown(before.get(name))} -> {_shown(after.get(name))}"
            if any(value is not None for value in before.values())
            else f"{name}: {_shown(after.get(name))}"
            for name in sorted(before.keys() | after.keys())
        )
        yield TimelineEntry(
            row.at,
            "asked",
            row.action,
            details,
            row.actor,
            way(row.door, row.origin),
            row.reason,
            _caller(row),
            order=row.id,
        )


def _tried(tx: Tx, account_id: str) -> Iterator[TimelineEntry]:
    """A version that was applied before and is changed again is nobody's wish: Keycloak had something else, which
    is told with who did it, where Keycloak's events say that."""
    rows = tx.connection.execute(
        select(attempt).where(attempt.c.account_id == account_id).order_by(attempt.c.at, attempt.c.id)
    )
    touched = touches.of_account(tx, account_id)
    applied: int | None = None
    before: datetime | None = None
    for row in rows:
        changes = tuple(str(change) for change in row.changes)
        repaired = bool(changes) and row.version == applied
        told = [
            f"drift: {what}{listed(whom(touched, kinds, before, row.at + CLOCKS))}"
            for change in (row.changes if repaired else ())
            for kinds, what in drift_told(change)
        ]
        details = (*changes, *told, row.error) if row.error else (*changes, *told)
        drift = ", drift in Keycloak repaired" if repaired else ""
        yield TimelineEntry(
            row.at, "keycloak", f"{row.outcome} (version {row.version}{drift})", details, order=row.id
        )
        before = row.at
        if row.outcome == "applied":
            applied = row.version


def _carried_out(tx: Tx, account_id: str) -> Iterator[TimelineEntry]:
    """How one-shot acts ended, and those nobody asked for; that one was asked for is in the audit trail."""
    for each in acts.of_account(tx, account_id):
        if each.finished_at is not None:
            details = (each.outcome,) if each.outcome else ()
            yield TimelineEntry(each.finished_at, "act", f"{each.kind} {each.state}", details, order=f"z{each.id}")


def _deactivated(tx: Tx, account_id: str) -> Iterator[TimelineEntry]:
    """What became of a deactivation, or of a change that takes the technician; that it was asked for or called off
    is in the audit trail."""
    rows = tx.connection.execute(select(deactivation).where(deactivation.c.account_id == account_id))
    for row in rows:
        listed = tuple(str(each) for each in row.work_orders)
        what = "deactivation" if row.change is None else "change"
        if row.held_at is not None:
            yield TimelineEntry(row.held_at, "deactivation", f"{what} held", listed, order=f"{row.id}h")
        if row.state in {DeactivationState.COMPLETED, DeactivationState.REFUSED}:
            title = f"{what} {row.state}"
            shown = listed if row.state == DeactivationState.REFUSED else ()
            yield TimelineEntry(row.finished_at, "deactivation", title, shown, order=f"{row.id}z")


def _mailed(tx: Tx, account_id: str) -> Iterator[TimelineEntry]:
    rows = tx.connection.execute(select(mail).where(mail.c.account_id == account_id))
    for row in rows:
        to = f"{row.kind} mail to {row.recipient}"
        yield TimelineEntry(row.created_at, "mail", f"{to} waits", order=row.id)
        details = (row.error,) if row.error else ()
        if row.bounced_at is not None:
            yield TimelineEntry(row.finished_at, "mail", f"{to} sent", order=f"{row.id}y")
            yield TimelineEntry(row.bounced_at, "mail", f"{to} came back", details, order=f"{row.id}z")
        elif row.finished_at is not None:
            yield TimelineEntry(row.finished_at, "mail", f"{to} {row.state}", details, order=f"{row.id}z")


def _plain(value: object) -> object:
    """As JSON holds it."""
    match value:
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case _:
            return value


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    return "nothing" if value is None else str(value)
