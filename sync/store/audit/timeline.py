"""What happened to one account, in the order of time: what was asked for, what workers tried, and what became of
it (E6, H3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select

from sync.domain.access.callers import CallerKey
from sync.domain.access.cause import way
from sync.domain.deactivation.request import DeactivationState
from sync.domain.drift.touches import drift_told, listed, whom
from sync.store import acts
from sync.store.audit.trail import caller_of
from sync.store.database.tables import attempt, deactivation, mail
from sync.store.database.tables import audit as audit_entries
from sync.store.database.transactions import Tx
from sync.store.drift import touches
from sync.store.drift.touches import CLOCKS

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


def read_timeline(tx: Tx, account_id: str) -> tuple[TimelineEntry, ...]:
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
            caller_of(row),
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


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    return "nothing" if value is None else str(value)
