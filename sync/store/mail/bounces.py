"""Addresses that mails came back from: noted, forgotten with a new address, taken back by a person (F7).

Whether it may be done is `sync.commands.mail`' to say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select, update

from sync.domain.access.granted import Granted, GrantedAccount
from sync.domain.accounts.account import Account, login_key
from sync.domain.errors import FailureCode
from sync.store.database.batches import batches
from sync.store.database.tables import CURRENT_BOUNCE, bounce, login_name
from sync.store.database.tables import mail as mails
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert


@dataclass(frozen=True, slots=True)
class Bounce:
    """Mails to the account's address came back at `at`, and since then none is sent there."""

    address: str
    at: datetime
    reason: str


def holders(tx: Tx, addresses: Collection[str]) -> Mapping[str, str]:
    """Whose login names these are: `login_key` to account id. Nothing is locked."""
    return {
        row.key: row.account_id
        for some in batches(login_key(each) for each in addresses)
        for row in tx.connection.execute(select(login_name).where(login_name.c.key.in_(some)))
    }


def of_account(tx: Tx, account_id: str) -> Bounce | None:
    """None: mails to the address that it has now arrive, as far as anybody knows."""
    row = tx.connection.execute(
        select(bounce.c.address, bounce.c.at, bounce.c.reason).where(
            CURRENT_BOUNCE, bounce.c.account_id == account_id
        )
    ).one_or_none()
    return None if row is None else Bounce(*row)


def note(tx: Tx, granted: Granted, account: Account, reason: str, at: datetime) -> bool:  # noqa: ARG001 - it was asked
    """The account is locked, and mails to its address came back. False: that is known, or it is older than
    somebody's word that mails arrive again."""
    key = login_key(account.email)
    known = tx.connection.execute(
        select(bounce).where(bounce.c.account_id == account.id, bounce.c.address == key)
    ).one_or_none()
    if known is not None and (known.is_current or (known.withdrawn_at is not None and at <= known.withdrawn_at)):
        return False
    news = {"at": at, "reason": reason, "is_current": True, "withdrawn_at": None}
    row = {"account_id": account.id, "address": key, **news}
    tx.connection.execute(upsert(tx, bounce, row, changes=news))
    return True


def withdraw(tx: Tx, granted: Granted, account_id: str, now: datetime) -> bool:  # noqa: ARG001 - it was asked
    """Mails arrive there again, somebody says. False: nothing else was known."""
    changed = tx.connection.execute(
        update(bounce)
        .where(CURRENT_BOUNCE, bounce.c.account_id == account_id)
        .values(is_current=False, withdrawn_at=now)
    )
    return changed.rowcount > 0


def follow(tx: Tx, granted: GrantedAccount) -> None:
    """The account has another address: what is known of that one counts."""
    account_id, key = granted.after.id, login_key(granted.after.email)
    tx.connection.execute(
        update(bounce)
        .where(bounce.c.account_id == account_id)
        .values(is_current=and_(bounce.c.address == key, bounce.c.withdrawn_at.is_(None)))
    )


def newest_came_back(tx: Tx, granted: Granted, account: Account, reason: str, now: datetime) -> str | None:  # noqa: ARG001
    """The last mail that was sent to the account's address did not arrive. Returns its id; None: there is none."""
    key = login_key(account.email)
    sent = tx.connection.execute(
        select(mails.c.id, mails.c.recipient)
        .where(mails.c.account_id == account.id, mails.c.state == "sent")
        .order_by(mails.c.created_at.desc(), mails.c.id.desc())
    )
    for row in sent:
        if login_key(row.recipient) == key:
            tx.connection.execute(
                update(mails)
                .where(mails.c.id == row.id)
                .values(
                    state="failed",
                    bounced_at=now,
                    error=f"came back: {reason}",
                    failure=FailureCode.ADDRESS_BOUNCED.value,
                    may_have_left=False,
                )
            )
            return str(row.id)
    return None
