"""Whom no mail reaches at the address they have: refused by the mail server, or come back later (F7, H3).

A mail server that is away is neither: those mails wait and go by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal, select, union_all

from sync.domain.accounts.account import Life
from sync.domain.errors import FailureCode
from sync.store.database.tables import CURRENT_BOUNCE, NOT_SENT, account, bounce
from sync.store.database.tables import mail as mails
from sync.store.database.transactions import Tx


class Why(StrEnum):
    """Refused: the server said no, while the mail was handed over. Bounced: it took it, and it came back."""

    REFUSED = "refused"
    BOUNCED = "bounced"


@dataclass(frozen=True, slots=True)
class Unreachable:
    """`reason` is what the mail server said, or who reported it."""

    username: str
    address: str
    why: Why
    since: datetime
    reason: str


def listed(tx: Tx, limit: int | None = None) -> tuple[Unreachable, ...]:
    """The newest first; None: all of them. Of active accounts; who is inactive gets no mail."""
    found = union_all(_bounced(), _refused()).subquery()
    rows = tx.connection.execute(select(found).order_by(found.c.since.desc(), found.c.username).limit(limit))
    return tuple(Unreachable(row[0], row[1], Why(row[2]), row[3], row[4]) for row in rows)


def counted(tx: Tx) -> Mapping[Why, int]:
    """How many there are of each."""
    of_each = {
        Why.REFUSED: select(func.count()).select_from(mails).where(*_are_refused()),
        Why.BOUNCED: select(func.count()).select_from(bounce).where(*_are_bounced()),
    }
    return {why: tx.connection.scalar(found) or 0 for why, found in of_each.items()}


def _bounced() -> Select[Any]:
    return (
        select(
            account.c.username,
            account.c.email,
            literal(Why.BOUNCED.value),
            bounce.c.at.label("since"),
            bounce.c.reason,
        )
        .join(account, account.c.id == bounce.c.account_id)
        .where(*_are_bounced())
    )


def _refused() -> Select[Any]:
    return (
        select(
            account.c.username,
            account.c.email,
            literal(Why.REFUSED.value),
            mails.c.finished_at.label("since"),
            func.coalesce(mails.c.error, ""),
        )
        .join(account, account.c.id == mails.c.account_id)
        .where(*_are_refused())
    )


_HOLDER = account.alias("holder")


def _are_bounced() -> tuple[ColumnElement[bool], ...]:
    """The few are looked up first, and then their accounts: the other way round all accounts would be read."""
    return CURRENT_BOUNCE, exists().where(_HOLDER.c.id == bounce.c.account_id, _HOLDER.c.life == Life.ACTIVE.value)


def _are_refused() -> tuple[ColumnElement[bool], ...]:
    """Whose last mail was refused, at the address that they have now."""
    later = mails.alias("later")
    newer = exists().where(later.c.account_id == mails.c.account_id, later.c.created_at > mails.c.created_at)
    to_them = exists().where(
        _HOLDER.c.id == mails.c.account_id,
        _HOLDER.c.email == mails.c.recipient,
        _HOLDER.c.life == Life.ACTIVE.value,
    )
    failure = mails.c.failure == FailureCode.ADDRESS_REFUSED.value
    return NOT_SENT, mails.c.state == "failed", failure, to_them, ~newer
