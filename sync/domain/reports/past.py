"""What is kept of an account that tells its access at a moment: what it was given, what was wanted of it, what
workers did to its user in Keycloak, and what was found there. Values; `access` decides by them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from sync.domain.accounts.account import Life
from sync.domain.drift.kinds import Kind
from sync.domain.provisioning.change import AnyChange


@dataclass(frozen=True, slots=True)
class Word:
    """Who said so, when, through which door and why (A7)."""

    at: datetime
    by: str
    door: str
    reason: str


@dataclass(frozen=True, slots=True)
class Given:
    """Of the account from then on. `data_access` None: the usual level of the profile."""

    at: datetime
    word: Word
    profile: str
    branch: str | None
    team: str | None
    data_access: str | None
    technician_id: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Active or not, from then on."""

    at: datetime
    word: Word
    life: Life


@dataclass(frozen=True, slots=True)
class Tried:
    """What a worker did to the user; `applied`: afterwards the user was as wanted."""

    at: datetime
    applied: bool
    changes: tuple[AnyChange, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What somebody else made different there, from `first_seen_at` on, until `closed_at` (None: to this day)."""

    attribute: Kind
    found: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Past:
    """All of it, the oldest first, whatever moment is asked about. Names are those of today. `has_user`: it is
    known by which id Keycloak knows the user, today."""

    account_id: str
    username: str
    full_name: str
    has_user: bool
    given: tuple[Given, ...]
    wanted: tuple[Wanted, ...]
    tried: tuple[Tried, ...]
    found: tuple[Found, ...]


class Dated(Protocol):
    @property
    def at(self) -> datetime: ...


D = TypeVar("D", bound=Dated)


def in_force(words: Iterable[D], at: datetime) -> D | None:
    """The last that was said by then; None: nothing was."""
    last = None
    for each in words:
        if each.at > at:
            break
        last = each
    return last
