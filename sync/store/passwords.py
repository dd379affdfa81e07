"""Temporary passwords until they are delivered or expire, sealed; then they are gone (rule 12)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select

from sync.store.database import Tx
from sync.store.tables import Delivery
from sync.store.tables import initial_password as passwords
from sync.store.upserts import upsert


@dataclass(frozen=True, slots=True)
class KeptPassword:
    """`delivery` "shown": whoever asked for it has seen it, and it waits only for Keycloak."""

    password: str = field(repr=False)
    delivery: Delivery
    expires_at: datetime


def keep(tx: Tx, account_id: str, password: str, delivery: Delivery, expires_at: datetime) -> None:
    """Replaces one that is kept already."""
    values = {"sealed": tx.sealer.seal(password), "delivery": delivery, "expires_at": expires_at}
    tx.connection.execute(upsert(tx, passwords, {"account_id": account_id} | values, changes=values))


def kept(tx: Tx, account_id: str, now: datetime) -> KeptPassword | None:
    """Open it and leave it where it is. None: there is none, or it has expired."""
    row = tx.connection.execute(
        select(passwords).where(passwords.c.account_id == account_id, passwords.c.expires_at > now)
    ).one_or_none()
    return None if row is None else KeptPassword(tx.sealer.open(row.sealed), row.delivery, row.expires_at)


def kept_many(tx: Tx, account_ids: Collection[str], now: datetime) -> Mapping[str, str]:
    """Account id to its password, where one is kept that has not expired."""
    if not account_ids:
        return {}
    rows = tx.connection.execute(
        select(passwords.c.account_id, passwords.c.sealed).where(
            passwords.c.account_id.in_(sorted(account_ids)), passwords.c.expires_at > now
        )
    )
    return {row.account_id: tx.sealer.open(row.sealed) for row in rows}


def take(tx: Tx, account_id: str, now: datetime) -> str | None:
    """Open it and erase it in the same commit. None: there is none, or it has expired."""
    found = kept(tx, account_id, now)
    erase(tx, account_id)
    return None if found is None else found.password


def erase(tx: Tx, account_id: str) -> None:
    tx.connection.execute(delete(passwords).where(passwords.c.account_id == account_id))


def erase_shown(tx: Tx, account_id: str) -> None:
    """Keycloak has it and its owner has seen it: nobody needs it any more. One for a mail stays."""
    tx.connection.execute(
        delete(passwords).where(passwords.c.account_id == account_id, passwords.c.delivery == "shown")
    )


def expired(tx: Tx, now: datetime) -> tuple[str, ...]:
    """Ids of the accounts whose temporary password expired undelivered."""
    return tuple(tx.connection.scalars(select(passwords.c.account_id).where(passwords.c.expires_at <= now)))


def erase_expired(tx: Tx, now: datetime) -> int:
    return tx.connection.execute(delete(passwords).where(passwords.c.expires_at <= now)).rowcount
