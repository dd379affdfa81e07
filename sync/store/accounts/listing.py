"""Lists of accounts for people and exports: filtered, within what the caller may see, page by page (H3, I4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, and_, exists, func, select

from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.same_person import fold
from sync.domain.accounts.status import AccountStatus, Observation, status_of
from sync.domain.logins.activity import LoginActivity
from sync.store import logins as login_activity
from sync.store.accounts import attribute_values
from sync.store.accounts.query import AccountQuery
from sync.store.accounts.rows import COLUMNS, from_row
from sync.store.database.tables import CURRENT_BOUNCE, bounce, observation, provisioning
from sync.store.database.tables import account as accounts
from sync.store.database.tables import login_activity as logins
from sync.store.database.transactions import Tx
from sync.store.provisioning import observations, work_state
from sync.store.provisioning.work_state import WorkState


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list. `work` is None only for an account no command has made due yet."""

    account: Account
    observation: Observation | None
    work: WorkState | None
    activity: LoginActivity

    def status(self, now: datetime) -> AccountStatus:
        held = () if self.work is None else self.work.held_work_orders
        return status_of(self.account, self.observation, now=now, held=held, activity=self.activity)


@dataclass(frozen=True, slots=True)
class Page:
    """`next` goes into `AccountQuery.after` for the next page; None: this was the last."""

    items: tuple[Listed, ...]
    next: str | None


def list_accounts(tx: Tx, scope: Scope, query: AccountQuery) -> Page:
    """One page, ordered by username as code points are.

    Paging goes on after the last username seen: accounts that come or go in between are neither doubled nor
    pushed out of sight. Raises ValueError for a page of less than one.
    """
    if query.limit < 1:
        raise ValueError("a page has at least one account")
    rows = tx.connection.execute(
        select(
            *COLUMNS,
            accounts.c.username_key,
            *observations.COLUMNS,
            *work_state.COLUMNS,
            *login_activity.COLUMNS,
        )
        .outerjoin(observation, observation.c.account_id == accounts.c.id)
        .outerjoin(provisioning, provisioning.c.account_id == accounts.c.id)
        .outerjoin(logins, logins.c.idp_user_id == accounts.c.idp_user_id)
        .where(*_within(scope), *_conditions(query))
        .order_by(accounts.c.username_key)
        .limit(query.limit + 1)
    )
    found = list(rows.mappings())
    page = found[: query.limit]
    return Page(
        tuple(_listed(row) for row in page),
        next=page[-1]["username_key"] if len(found) > query.limit else None,
    )


def count(tx: Tx, scope: Scope, query: AccountQuery) -> int:
    """How many accounts the query asks for on all its pages."""
    wanted = (*_within(scope), *_conditions(replace(query, after=None)))
    return int(tx.connection.scalar(select(func.count()).select_from(accounts).where(*wanted)) or 0)


def population(tx: Tx) -> int:
    """How many accounts are wanted active: what the mass-change guard takes its percentages of (E7)."""
    active = select(func.count()).select_from(accounts).where(accounts.c.life == Life.ACTIVE.value)
    return int(tx.connection.scalar(active) or 0)


def is_empty(tx: Tx) -> bool:
    """Whether there is no account at all, not even an inactive one."""
    return not tx.connection.scalar(select(exists().where(accounts.c.id.is_not(None))))


def page_by_id(tx: Tx, after: str, limit: int) -> tuple[Account, ...]:
    """The accounts behind this id ("" for the first page), in the order of ids: for walks over all of them, with
    flat memory. Nothing is locked."""
    found = select(*COLUMNS).where(accounts.c.id > after).order_by(accounts.c.id).limit(limit)
    return tuple(from_row(row) for row in tx.connection.execute(found).mappings())


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope.everything else [accounts.c.branch == scope.branch]


def _conditions(query: AccountQuery) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if query.after is not None:
        wanted.append(accounts.c.username_key > query.after)
    if query.text is not None:
        wanted.append(accounts.c.search_text.contains(fold(query.text), autoescape=True))
    if query.life is not None:
        wanted.append(accounts.c.expected == (query.life is Life.EXPECTED))
        wanted.append(accounts.c.life == (Life.ACTIVE if query.life is Life.ACTIVE else Life.INACTIVE).value)
    for name in ("profile", "branch", "team"):
        value = getattr(query, name)
        if value is not None:
            wanted.append(accounts.c[name] == value)
    wanted += attribute_values.having(query.attributes)
    if query.quarantined is not None:
        wanted.append(_among(provisioning.c.quarantine_kind.is_not(None), wanted=query.quarantined))
    if query.held is not None:
        wanted.append(_among(provisioning.c.held_work_orders.is_not(None), wanted=query.held))
    if query.bounced is not None:
        came_back = select(bounce.c.account_id).where(CURRENT_BOUNCE)
        wanted.append(accounts.c.id.in_(came_back) if query.bounced else accounts.c.id.not_in(came_back))
    if query.locked_at is not None:
        locked = select(observation.c.account_id).where(observation.c.locked_until > query.locked_at)
        wanted.append(accounts.c.id.in_(locked))
    if query.unlinked_profiles is not None:
        wanted.append(
            and_(
                accounts.c.profile.in_(sorted(query.unlinked_profiles)),
                accounts.c.technician_id.is_(None),
            )
        )
    return wanted


def _among(which: ColumnElement[bool], *, wanted: bool) -> ColumnElement[bool]:
    """The few are looked up by their index, and then the accounts; the other way round SQLite would go through all
    accounts for them."""
    few = select(provisioning.c.account_id).where(which)
    return accounts.c.id.in_(few) if wanted else accounts.c.id.not_in(few)


def _listed(row: RowMapping) -> Listed:
    return Listed(
        from_row(row),
        None if row["state"] is None else observations.from_row(row),
        None if row["wanted_version"] is None else work_state.from_row(row),
        login_activity.from_row(row),
    )
