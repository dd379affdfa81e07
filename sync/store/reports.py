"""What is kept of many accounts that tells their access at a moment, page by page, and the mapping files of all
times (G2). What follows from it is decided in `sync.domain.reports`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, exists, or_, select

from sync.domain.access.cause import way
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Life
from sync.domain.drift.kinds import kind_of
from sync.domain.provisioning.aspect import Aspect
from sync.domain.reports.past import Found, Given, Past, Tried, Wanted, Word
from sync.store.database.tables import account as accounts
from sync.store.database.tables import assignment as assignments
from sync.store.database.tables import attempt as attempts
from sync.store.database.tables import audit as entries
from sync.store.database.tables import drift as findings
from sync.store.database.tables import policy as policies
from sync.store.database.transactions import Tx

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AccessQuery:
    """None filters nothing. `profile` and `branch`: whoever may have had it at some time; who had it at the moment
    is decided by `domain.reports`. `after` is the last username key of the page before."""

    at: datetime
    account_id: str | None = None
    profile: str | None = None
    branch: str | None = None
    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class PastPage:
    """`next` goes into `AccessQuery.after`; None: this was the last."""

    items: tuple[tuple[str, Past], ...]
    next: str | None


def pasts(tx: Tx, scope: Scope, query: AccessQuery) -> PastPage:
    """Accounts that were there at that moment, by username, each with its username key, of the branches that they
    are in now. The same five statements, however many accounts are on the page."""
    wanted = (
        select(
            accounts.c.id,
            accounts.c.username,
            accounts.c.username_key,
            accounts.c.given_name,
            accounts.c.family_name,
            accounts.c.idp_user_id,
        )
        .where(accounts.c.created_at <= query.at, *_conditions(scope, query))
        .order_by(accounts.c.username_key)
        .limit(query.limit + 1)
    )
    rows = tx.connection.execute(wanted).all()
    page = rows[: query.limit]
    ids = [row.id for row in page]
    given, life = _given(tx, ids), _wanted(tx, ids)
    tried, found = _tried(tx, ids), _found(tx, ids)
    return PastPage(
        tuple(
            (
                row.username_key,
                Past(
                    account_id=row.id,
                    username=row.username,
                    full_name=f"{row.given_name} {row.family_name}".strip(),
                    has_user=row.idp_user_id is not None,
                    given=given.get(row.id, ()),
                    wanted=life.get(row.id, ()),
                    tried=tried.get(row.id, ()),
                    found=found.get(row.id, ()),
                ),
            )
            for row in page
        ),
        next=page[-1].username_key if len(rows) > query.limit else None,
    )


def policies_by_time(tx: Tx) -> tuple[tuple[int, datetime], ...]:
    """The number of each policy and when it was adopted, the oldest first."""
    found = tx.connection.execute(select(policies.c.number, policies.c.adopted_at).order_by(policies.c.number))
    return tuple((row.number, row.adopted_at) for row in found)


def _conditions(scope: Scope, query: AccessQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if not scope.everything:
        conditions.append(accounts.c.branch == scope.branch)
    if query.account_id is not None:
        conditions.append(accounts.c.id == query.account_id)
    if query.after is not None:
        conditions.append(accounts.c.username_key > query.after)
    for column, aspect, key in (
        (assignments.c.profile, Aspect.PROFILE, query.profile),
        (assignments.c.branch, Aspect.BRANCH, query.branch),
    ):
        if key is not None:
            conditions.append(_ever_had(column, aspect, key, query.at))
    return conditions


def _ever_had(column: ColumnElement[Any], aspect: Aspect, key: str, at: datetime) -> ColumnElement[bool]:
    """By what it was given, or by what somebody gave it in Keycloak."""
    was_given = exists().where(assignments.c.account_id == accounts.c.id, column == key, assignments.c.at <= at)
    was_found = exists().where(
        findings.c.account_id == accounts.c.id,
        findings.c.attribute == aspect.value,
        findings.c.found.contains(key, autoescape=True),
        findings.c.first_seen_at <= at,
    )
    return or_(was_given, was_found)


def _given(tx: Tx, ids: Collection[str]) -> Mapping[str, tuple[Given, ...]]:
    query = (
        select(assignments).where(assignments.c.account_id.in_(ids)).order_by(assignments.c.at, assignments.c.id)
    )
    return _by_account(
        (
            row.account_id,
            Given(
                row.at,
                _word(row, row.by),
                row.profile,
                row.branch,
                row.team,
                row.data_access,
                row.technician_id,
            ),
        )
        for row in tx.connection.execute(query)
    )


def _wanted(tx: Tx, ids: Collection[str]) -> Mapping[str, tuple[Wanted, ...]]:
    """The audit trail is where it stands since when an account is wanted active or not."""
    life = entries.c.after["life"].as_string()
    query = (
        select(
            entries.c.account_id,
            entries.c.at,
            entries.c.actor,
            entries.c.door,
            entries.c.origin,
            entries.c.reason,
            life.label("life"),
        )
        .where(life.is_not(None))
        .where(entries.c.account_id.in_(ids))
        .order_by(entries.c.at, entries.c.id)
    )
    return _by_account(
        (row.account_id, Wanted(row.at, _word(row, row.actor), Life(row.life)))
        for row in tx.connection.execute(query)
    )


def _tried(tx: Tx, ids: Collection[str]) -> Mapping[str, tuple[Tried, ...]]:
    query = (
        select(attempts.c.account_id, attempts.c.at, attempts.c.outcome, attempts.c.changes)
        .where(attempts.c.account_id.in_(ids))
        .order_by(attempts.c.at, attempts.c.id)
    )
    return _by_account(
        (row.account_id, Tried(row.at, row.outcome == "applied", row.changes))
        for row in tx.connection.execute(query)
    )


def _found(tx: Tx, ids: Collection[str]) -> Mapping[str, tuple[Found, ...]]:
    query = (
        select(
            findings.c.account_id,
            findings.c.attribute,
            findings.c.found,
            findings.c.first_seen_at,
            findings.c.last_seen_at,
            findings.c.closed_at,
        )
        .where(findings.c.account_id.in_(ids))
        .order_by(findings.c.first_seen_at, findings.c.id)
    )
    return _by_account(
        (
            row.account_id,
            Found(kind_of(row.attribute), row.found, row.first_seen_at, row.last_seen_at, row.closed_at),
        )
        for row in tx.connection.execute(query)
    )


def _by_account(rows: Iterable[tuple[str, T]]) -> Mapping[str, tuple[T, ...]]:
    """In the order they come."""
    found: dict[str, list[T]] = defaultdict(list)
    for account_id, value in rows:
        found[account_id].append(value)
    return {account_id: tuple(values) for account_id, values in found.items()}


def _word(row: Any, by: str) -> Word:  # noqa: ANN401 - rows of two tables
    return Word(row.at, by, way(row.door, row.origin), row.reason)
