"""The password of a new account: generated, never chosen, and never stored in the open (B1, rule: secrets-go)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from mappings.policy import Policy
from sync.domain.accounts.account import Account, Life
from sync.store.accounts import passwords
from sync.store.database.transactions import Tx
from sync.store.mail import outbox

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 characters without those that look alike in print (l, 1, o, 0): five bits each."""

BITS = 5
GROUPS, GROUP_LENGTH = 6, 4


REPLACED = "replaced by a password for a new Keycloak user"


def mail_new(tx: Tx, policy: Policy, account: Account, now: datetime) -> None:
    """An account that had a user gets a new one: a new password waits for it and goes by mail, in place of an
    older one that has not left. Nothing for an account that is inactive."""
    if account.life is Life.INACTIVE:
        return
    expires = now + timedelta(hours=policy.realm.temporary_password_hours)
    outbox.give_up(tx, account.id, REPLACED, now)
    passwords.keep(tx, account.id, generate(), "mail", expires)
    outbox.enqueue(tx, account.id, kind="welcome", recipient=account.email, expires_at=expires, now=now)


def generate() -> str:
    """Six groups of four characters, 120 bits: strong enough to need no slow hash; Keycloak replaces it anyway."""
    signs = GROUPS * GROUP_LENGTH
    number = int.from_bytes(secrets.token_bytes(signs * BITS // 8))
    drawn = "".join(ALPHABET[(number >> BITS * place) % len(ALPHABET)] for place in range(signs))
    return "-".join(drawn[start : start + GROUP_LENGTH] for start in range(0, signs, GROUP_LENGTH))


@dataclass(frozen=True, slots=True)
class InitialPassword:
    """A generated temporary password and how its owner gets it: by welcome mail, or shown to who asked."""

    password: str = field(repr=False)
    delivery: Literal["mail", "shown"]
