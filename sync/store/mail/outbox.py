"""The outbox: a mail waits for its account to be in Keycloak, becomes due, is sent once (F7).

Who sends reads the secret it carries from `passwords`; nothing secret is stored here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, exists, or_, select, update

from sync.domain.accounts.account import Account, Life
from sync.domain.errors import FailureCode
from sync.domain.work.claimed import ClaimedAccount, ClaimedMail
from sync.domain.work.lane import Lane
from sync.store.accounts.rows import COLUMNS, from_row
from sync.store.database.batches import batches
from sync.store.database.ids import new_id
from sync.store.database.tables import NOT_SENT, UNSENT, account
from sync.store.database.tables import mail as mails
from sync.store.database.transactions import Tx
from sync.store.work import lanes, lease_rows
from sync.store.work.lease_rows import ENDED, Lease, Terms, free, new_claim

DOMAIN = "fsm-identity"
"""The right side of a Message-ID; the left one is unique by itself (RFC 5322, section 3.6.4)."""

PASSWORD_RESET = "password reset"  # noqa: S105 - a kind of mail
"""The kind of a mail that carries the password of a reset, which its act keeps."""

FIRST_PASSWORD = "first password"  # noqa: S105 - a kind of mail
"""The kind of the welcome mail of somebody who was stored long before the first day: an act keeps its password."""

OF_ACTS = frozenset({PASSWORD_RESET, FIRST_PASSWORD})
"""Kinds whose password an act keeps."""


@dataclass(frozen=True, slots=True)
class MailClaim:
    """One mail that a worker may send while it keeps the lease.

    `taken_over`: a worker ended over it while it was sending; it may have been sent already.
    `attempts` counts the tries before this one.
    """

    id: str
    account: Account
    kind: str
    recipient: str
    message_id: str
    expires_at: datetime | None
    attempts: int
    lease: Lease[ClaimedMail] = field(compare=False)
    taken_over: bool


def enqueue(
    tx: Tx, account_id: str, *, kind: str, recipient: str, expires_at: datetime | None, now: datetime
) -> str:
    """Put a mail in the outbox, where it waits for `make_due`. Returns its id."""
    (mail_id,) = enqueue_all(tx, {account_id: recipient}, kind=kind, expires_at=expires_at, now=now)
    return mail_id


def enqueue_all(
    tx: Tx, recipients: Mapping[str, str], *, kind: str, expires_at: datetime | None, now: datetime
) -> tuple[str, ...]:
    """`enqueue` for many: account id to recipient."""
    rows = [
        {
            "id": mail_id,
            "account_id": account_id,
            "kind": kind,
            "recipient": recipient,
            "state": "waiting",
            "message_id": f"{mail_id}@{DOMAIN}",
            "created_at": now,
            "expires_at": expires_at,
            "attempts": 0,
        }
        for account_id, recipient in recipients.items()
        for mail_id in [new_id(now)]
    ]
    if rows:
        tx.connection.execute(mails.insert(), rows)
    return tuple(str(row["id"]) for row in rows)


def was_welcomed(tx: Tx, account_id: str) -> bool:
    """Whether the account ever had a welcome mail, sent or not."""
    welcomes = mails.c.kind.in_(("welcome", FIRST_PASSWORD))
    return bool(tx.connection.scalar(select(exists().where(mails.c.account_id == account_id, welcomes))))


def make_due(tx: Tx, claimed: Collection[ClaimedAccount], now: datetime) -> int:
    """The accounts are in Keycloak: their waiting mails may go. Returns how many."""
    return sum(
        tx.connection.execute(
            update(mails)
            .where(mails.c.account_id.in_(some), mails.c.state == "waiting")
            .values(state="due", due_at=now)
        ).rowcount
        for some in batches([each.row for each in claimed])
    )


def give_up(tx: Tx, account_id: str, why: str, now: datetime) -> int:
    """Mails with a password that have not left will not: it is no longer good. Returns how many."""
    return tx.connection.execute(
        update(mails)
        .where(
            mails.c.account_id == account_id,
            mails.c.state.in_(("waiting", "due")),
            mails.c.expires_at.is_not(None),
        )
        .values(state="failed", due_at=None, finished_at=now, error=why)
    ).rowcount


def readdress(tx: Tx, account_id: str, recipient: str) -> int:
    """The person has another e-mail address: what has not left goes there. Returns how many."""
    return tx.connection.execute(
        update(mails)
        .where(mails.c.account_id == account_id, mails.c.state.in_(("waiting", "due")))
        .values(recipient=recipient)
    ).rowcount


def any_due(tx: Tx, now: datetime) -> bool:
    return bool(tx.connection.scalar(select(exists().where(*_claimable(now)))))


def claim(tx: Tx, terms: Terms, limit: int) -> tuple[MailClaim, ...]:
    """Take up to `limit` mails that are due and nobody sends, the longest due first.

    Expired ones stay, and so do those of accounts that are inactive: they wait for a reactivation.
    """
    chosen = (
        select(mails.c.id)
        .where(*_claimable(terms.now), lanes.running(Lane.MAIL))
        .order_by(mails.c.due_at, mails.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    rows = tx.connection.execute(
        update(mails)
        .where(mails.c.id.in_(select(chosen.c.id)))
        .values(**new_claim(terms), state="sending")
        .returning(mails)
    ).all()
    ids = [row.account_id for row in rows]
    owners = {
        row["id"]: from_row(row)
        for row in tx.connection.execute(select(*COLUMNS).where(account.c.id.in_(ids))).mappings()
    }
    return tuple(
        MailClaim(
            id=row.id,
            account=owners[row.account_id],
            kind=row.kind,
            recipient=row.recipient,
            message_id=row.message_id,
            expires_at=row.expires_at,
            attempts=row.attempts,
            lease=Lease[ClaimedMail](mails.c.id, row.id, row.lease_token, row.lease_until),
            taken_over=row.takeovers > 0,
        )
        for row in sorted(rows, key=lambda row: (row.due_at, row.id))
    )


def finish(
    tx: Tx,
    claim: MailClaim,
    outcome: Literal["sent", "failed", "retry"],
    now: datetime,
    *,
    due_at: datetime | None = None,
    error: str | None = None,
    failure: FailureCode | None = None,
    may_have_left: bool | None = None,
) -> ClaimedMail | None:
    """Write down what came of it. "retry" needs `due_at`; "failed" waits for a person, who wants to know whether
    it may have left all the same.

    None: the lease was lost; nothing was written.
    """
    if (outcome == "retry") != (due_at is not None):
        raise ValueError("a retry has a due time, and nothing else has one")
    ended = {
        "state": "due" if outcome == "retry" else outcome,
        "due_at": due_at,
        "attempts": mails.c.attempts + 1,
        "finished_at": None if outcome == "retry" else now,
        "error": error,
        "failure": failure,
        "may_have_left": may_have_left,
    }
    return lease_rows.write(tx, claim.lease, ENDED | ended)


def expire(tx: Tx, now: datetime) -> int:
    """Mails whose secret has expired unsent will not go any more. Returns how many."""
    waiting = mails.c.state.in_(("waiting", "due", "sending"))
    return tx.connection.execute(
        update(mails)
        .where(NOT_SENT, waiting, free(mails, now), mails.c.expires_at <= now)
        .values(
            state="expired",
            finished_at=now,
            due_at=None,
            **ENDED,
        )
    ).rowcount


def _claimable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        UNSENT,
        mails.c.due_at <= now,
        free(mails, now),
        or_(mails.c.expires_at.is_(None), mails.c.expires_at > now),
        exists().where(
            account.c.id == mails.c.account_id, or_(account.c.life == Life.ACTIVE.value, account.c.expected)
        ),
    )
