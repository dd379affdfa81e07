"""One link of the audit chain: an entry as the one text that is hashed, with its number and the hash before it.

The text is all that a later reader needs: it is stored, exported and verified as it is (G1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.domain.audit.canonical import canonical, utc_text


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the audit trail as it was written (`sync.store.audit`)."""

    id: str
    at: datetime
    actor: str
    door: str | None
    origin: str
    caller_kind: str
    caller_id: str
    caller_host: str | None
    action: str
    account_id: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain goes: the last number and its hash, 64 lower-case hexadecimal digits."""

    number: int
    hash: str


BEGINNING = Head(0, "0" * 64)
"""What the first link follows."""


@dataclass(frozen=True, slots=True)
class Link:
    """`body` is hashed as UTF-8; number and `entry_id` stand in it too."""

    number: int
    entry_id: str
    body: str
    hash: str

    @property
    def head(self) -> Head:
        return Head(self.number, self.hash)


def link(entry: Entry, after: Head, now: datetime) -> Link:
    """The link that follows `after`; `now` is when it is chained."""
    number = after.number + 1
    body = body_of(entry, number, after.hash, utc_text(now))
    return Link(number, entry.id, body, hash_of(body))


def body_of(entry: Entry, number: int, previous: str, chained_at: str) -> str:
    return canonical(
        {
            "number": number,
            "previous": previous,
            "chained_at": chained_at,
            "id": entry.id,
            "at": utc_text(entry.at),
            "actor": entry.actor,
            "door": entry.door,
            "origin": entry.origin,
            "caller": {"kind": entry.caller_kind, "id": entry.caller_id, "host": entry.caller_host},
            "action": entry.action,
            "account_id": entry.account_id,
            "before": entry.before,
            "after": entry.after,
            "reason": entry.reason,
            "correlation_id": entry.correlation_id,
        }
    )


def hash_of(body: str) -> str:
    """SHA-256."""
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
