"""Whose first or last day may have come, and whose welcome mail is to come. The day alone is compared here, with
room for every time zone; the instant is `sync.domain.dates`'s to say."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, insert, or_, select

from sync.domain.access.granted import GrantedAccount
from sync.domain.accounts.account import Account, Life
from sync.domain.dates import AHEAD
from sync.store.accounts.rows import COLUMNS, from_row
from sync.store.database.tables import ENDS, EXPECTED, account, joiner
from sync.store.database.transactions import Tx

ONE_DAY = timedelta(days=1)


def beginning(tx: Tx, now: datetime, after: str, limit: int) -> tuple[Account, ...]:
    """Expected accounts whose first day has come somewhere, behind this id and in the order of ids; not locked."""
    come = or_(account.c.valid_from.is_(None), account.c.valid_from <= _latest(now))
    return _page(tx, (EXPECTED, come), after, limit)


def ending(tx: Tx, now: datetime, after: str, limit: int) -> tuple[Account, ...]:
    """Active accounts whose last day is over somewhere, likewise."""
    return _page(tx, (ENDS, account.c.valid_until < _latest(now)), after, limit)


def to_welcome(tx: Tx, now: datetime, days_before: int, after: str, limit: int) -> tuple[Account, ...]:
    """Joiners whose welcome mail has to go somewhere, likewise."""
    waits = exists().where(joiner.c.account_id == account.c.id)
    by = _latest(now) + days_before * ONE_DAY
    come = or_(account.c.valid_from.is_(None), account.c.valid_from <= by)
    wanted = or_(account.c.life == Life.ACTIVE.value, account.c.expected)
    return _page(tx, (waits, come, wanted), after, limit)


def welcome_later(tx: Tx, account_ids: Collection[str]) -> None:
    """The welcome mail of accounts that were stored just now waits for the first day to come nearer."""
    if account_ids:
        tx.connection.execute(insert(joiner), [{"account_id": each} for each in sorted(account_ids)])


def welcome_again(tx: Tx, granted: GrantedAccount) -> None:
    """The first day was put off: the mail goes anew before it."""
    if not waits_for_welcome(tx, granted.after.id):
        welcome_later(tx, [granted.after.id])


def waits_for_welcome(tx: Tx, account_id: str) -> bool:
    return tx.connection.scalar(select(joiner.c.account_id).where(joiner.c.account_id == account_id)) is not None


def end_waiting(tx: Tx, granted: GrantedAccount) -> bool:
    """The mail goes now. False: it did not wait."""
    gone = tx.connection.execute(delete(joiner).where(joiner.c.account_id == granted.after.id))
    return gone.rowcount == 1


def _latest(now: datetime) -> date:
    """The day that it is by now where the sun rises first."""
    return (now + AHEAD).date()


def _page(tx: Tx, conditions: tuple[ColumnElement[bool], ...], after: str, limit: int) -> tuple[Account, ...]:
    found = select(*COLUMNS).where(*conditions, account.c.id > after).order_by(account.c.id).limit(limit)
    return tuple(from_row(row) for row in tx.connection.execute(found).mappings())
