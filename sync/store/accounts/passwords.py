"""Temporary passwords until they are delivered or expire, sealed; then they are gone (rule: secrets-go)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select

from sync.domain.access.granted import GrantedAccount
from sync.domain.errors import Misconfigured
from sync.domain.work.claimed import ClaimedAccount, ClaimedMail
from sync.store.database.batches import batches
from sync.store.database.tables import Delivery
from sync.store.database.tables import initial_password as passwords
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert_all


@dataclass(frozen=True, slots=True)
class KeptPassword:
    """`delivery` "shown": whoever asks for it first sees it, once Keycloak has it."""

    password: str = field(repr=False)
    delivery: Delivery
    expires_at: datetime


def keep(tx: Tx, account_id: str, password: str, delivery: Delivery, expires_at: datetime) -> None:
    """Replaces one that is kept already."""
    keep_all(tx, {account_id: KeptPassword(password, delivery, expires_at)})


def keep_all(tx: Tx, kept: Mapping[str, KeptPassword]) -> None:
    """By account id; replaces those that are kept already."""
    upsert_all(
        tx,
        passwords,
        [
            {
                "account_id": account_id,
                "sealed": tx.sealer.seal(each.password),
                "delivery": each.delivery,
                "expires_at": each.expires_at,
            }
            for account_id, each in sorted(kept.items())
        ],
    )


def kept(tx: Tx, account_id: str, now: datetime) -> KeptPassword | None:
    """Open it and leave it where it is. None: there is none, or it has expired."""
    found = kept_by(tx, [account_id], now).get(account_id)
    if isinstance(found, Misconfigured):
        raise found
    return found


def kept_by(tx: Tx, account_ids: Collection[str], now: datetime) -> Mapping[str, KeptPassword | Misconfigured]:
    """Like `kept`, by account id, without those that have none; a failure stands for one that no key opens."""
    found: dict[str, KeptPassword | Misconfigured] = {}
    for some in batches(account_ids):
        rows = tx.connection.execute(
            select(passwords).where(passwords.c.account_id.in_(some), passwords.c.expires_at > now)
        )
        for row in rows:
            try:
                found[row.account_id] = KeptPassword(tx.sealer.open(row.sealed), row.delivery, row.expires_at)
            except Misconfigured as failure:
                found[row.account_id] = failure
    return found


def erase(tx: Tx, _claimed: ClaimedAccount | ClaimedMail, account_id: str) -> None:
    """It was delivered, or replaced."""
    tx.connection.execute(delete(passwords).where(passwords.c.account_id == account_id))


def take_shown(tx: Tx, granted: GrantedAccount, now: datetime) -> str | None:
    """The one that waits for whoever asks for it; with this it is gone. Keycloak has it by then. None: there is
    none, or its time is up; one for a mail stays."""
    shown = passwords.c.account_id == granted.after.id, passwords.c.delivery == "shown"
    waiting = select(passwords.c.sealed).where(*shown, passwords.c.expires_at > now)
    sealed = tx.connection.scalar(tx.locking(waiting))
    if sealed is None:
        return None
    password = tx.sealer.open(sealed)
    tx.connection.execute(delete(passwords).where(*shown))
    return password


def erase_shown(tx: Tx, claimed: ClaimedAccount) -> None:
    """The account has a user with a password of its own: nobody needs it. One for a mail stays."""
    tx.connection.execute(
        delete(passwords).where(passwords.c.account_id == claimed.row, passwords.c.delivery == "shown")
    )


def erase_expired(tx: Tx, now: datetime) -> int:
    return tx.connection.execute(delete(passwords).where(passwords.c.expires_at <= now)).rowcount
