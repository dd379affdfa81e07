"""Temporary passwords until they are delivered or expire, sealed; then they are gone (rule 12)."""

from __future__ import annotations

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


def erase(tx: Tx, account_id: str) -> None:
    tx.connection.execute(delete(passwords).where(passwords.c.account_id == account_id))


def erase_shown(tx: Tx, account_id: str) -> None:
    """Keycloak has it and its owner has seen it: nobody needs it any more. One for a mail stays."""
    tx.connection.execute(
        delete(passwords).where(passwords.c.account_id == account_id, passwords.c.delivery == "shown")
    )


def erase_expired(tx: Tx, now: datetime) -> int:
    return tx.connection.execute(delete(passwords).where(passwords.c.expires_at <= now)).rowcount
