"""Mails that failed or expired: which of them could be sent again, and putting one back in the outbox (F7, H3).

Whether it may be done is `sync.commands.mail`' to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, update

from sync.domain.access.granted import Granted
from sync.domain.accounts.account import Life
from sync.store.database.tables import CURRENT_BOUNCE, NOT_SENT, SEALED_ACT, account, act, bounce
from sync.store.database.tables import initial_password as passwords
from sync.store.database.tables import mail as mails
from sync.store.database.transactions import Tx
from sync.store.mail.outbox import OF_ACTS


@dataclass(frozen=True, slots=True)
class FailedMail:
    """A mail that failed or expired at `at`. `may_have_left`: somebody may have it all the same; so it is said of
    each of which nobody noted the contrary. `failure` is the code of what `error` says; None: nobody noted
    one. `sendable`: its password is kept and valid, the account is active, mails to its address do not come back,
    and no later mail was written to the person."""

    id: str
    account_id: str
    username: str
    kind: str
    state: str
    at: datetime | None
    failure: str | None
    error: str | None
    may_have_left: bool
    sendable: bool


def newest(tx: Tx, now: datetime, limit: int | None = None) -> tuple[FailedMail, ...]:
    """The newest first; None: all of them."""
    rows = tx.connection.execute(_found(now).limit(limit))
    return tuple(FailedMail(*row) for row in rows)


def ending_in(tx: Tx, ending: str, now: datetime) -> tuple[FailedMail, ...]:
    """Whose id ends like this: the last characters are what people type."""
    rows = tx.connection.execute(_found(now).where(mails.c.id.endswith(ending, autoescape=True)))
    return tuple(FailedMail(*row) for row in rows)


def certainly_unsent(tx: Tx, now: datetime) -> tuple[FailedMail, ...]:
    """All that can be sent again and have not left."""
    rows = tx.connection.execute(_found(now).where(_sendable(now), mails.c.may_have_left.is_(False)))
    return tuple(FailedMail(*row) for row in rows)


def send_again(tx: Tx, granted: Granted, mail_id: str, now: datetime) -> bool:  # noqa: ARG001 - it was asked
    """Make it due, to the address that the account has now. False: it is not a failed one any more."""
    address = select(account.c.email).where(account.c.id == mails.c.account_id).scalar_subquery()
    changed = tx.connection.execute(
        update(mails)
        .where(mails.c.id == mail_id, mails.c.state == "failed")
        .values(
            state="due",
            due_at=now,
            recipient=address,
            attempts=0,
            finished_at=None,
            error=None,
            failure=None,
            may_have_left=None,
            bounced_at=None,
        )
    )
    return changed.rowcount == 1


def _found(now: datetime) -> Select[Any]:
    return (
        select(
            mails.c.id,
            mails.c.account_id,
            account.c.username,
            mails.c.kind,
            mails.c.state,
            func.coalesce(mails.c.bounced_at, mails.c.finished_at),
            mails.c.failure,
            mails.c.error,
            func.coalesce(mails.c.may_have_left, True),
            case((_sendable(now), True), else_=False),
        )
        .join(account, account.c.id == mails.c.account_id)
        .where(NOT_SENT, mails.c.state.in_(("failed", "expired")))
        .order_by(mails.c.finished_at.desc(), mails.c.id.desc())
    )


def _sendable(now: datetime) -> ColumnElement[bool]:
    later = mails.alias("later")
    newer = exists().where(later.c.account_id == mails.c.account_id, later.c.created_at > mails.c.created_at)
    of_reset = exists().where(act.c.mail_id == mails.c.id, SEALED_ACT)
    of_beginning = exists().where(
        passwords.c.account_id == mails.c.account_id, passwords.c.delivery == "mail", passwords.c.expires_at > now
    )
    return and_(
        mails.c.state == "failed",
        mails.c.expires_at > now,
        or_(account.c.life == Life.ACTIVE.value, account.c.expected),
        ~newer,
        ~exists().where(CURRENT_BOUNCE, bounce.c.account_id == mails.c.account_id),
        case((mails.c.kind.in_(sorted(OF_ACTS)), of_reset), else_=of_beginning),
    )
