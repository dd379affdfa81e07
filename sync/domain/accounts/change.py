"""What a door may ask for: a new account, or a change of one.

Values only. `UNSET` (not mentioned), None (taken away) and a value are three things
(rule: wanted-is-not-observed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from sync.domain.accounts.account import Account, Life, login_key


class Unset(Enum):
    """The type of UNSET: a field the caller did not mention stays as it is."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A joiner. `username` None: the e-mail address (A2). `data_access` None: the profile's default."""

    email: str
    given_name: str
    family_name: str
    profile: str
    branch: str | None = None
    team: str | None = None
    data_access: str | None = None
    technician_id: str | None = None
    employee_number: str | None = None
    username: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None

    def account(self, account_id: str, created_at: datetime) -> Account:
        """The account as it would be stored: blanks trimmed, names for logging in lower case."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        wanted = _trimmed(given | {"username": self.username or self.email})
        return Account(id=account_id, life=Life.ACTIVE, created_at=created_at, **wanted)


@dataclass(frozen=True, slots=True)
class AccountChange:
    """A change of one account; only what is not UNSET changes. Deactivation is its own command."""

    username: str | Unset = UNSET
    email: str | Unset = UNSET
    given_name: str | Unset = UNSET
    family_name: str | Unset = UNSET
    profile: str | Unset = UNSET
    branch: str | Unset | None = UNSET
    team: str | Unset | None = UNSET
    data_access: str | Unset | None = UNSET
    technician_id: str | Unset | None = UNSET
    employee_number: str | Unset | None = UNSET
    valid_from: date | Unset | None = UNSET
    valid_until: date | Unset | None = UNSET

    def applied_to(self, account: Account) -> Account:
        """The account after the change, with the same trimming as a new one."""
        wanted = {
            each.name: getattr(self, each.name) for each in fields(self) if getattr(self, each.name) is not UNSET
        }
        return replace(account, **_trimmed(wanted))


def _trimmed(wanted: Mapping[str, Any]) -> dict[str, Any]:
    logins = {name: login_key(wanted[name]) for name in ("username", "email") if name in wanted}
    names = {name: wanted[name].strip() for name in ("given_name", "family_name") if name in wanted}
    return {**wanted, **logins, **names}


def changed_fields(before: Account, after: Account) -> dict[str, tuple[object, object]]:
    """What differs between two versions of one account: field → (before, after), for audit and review."""
    return {
        each.name: (getattr(before, each.name), getattr(after, each.name))
        for each in fields(Account)
        if getattr(before, each.name) != getattr(after, each.name)
    }


GRANTS = frozenset({"profile", "branch", "team", "data_access", "technician_id"})
"""The fields that give or take access: their history is kept with who, when, door and why (A7)."""
