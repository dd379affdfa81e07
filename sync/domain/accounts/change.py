"""What a door may ask for: a new account, or a change of one.

Values only. `UNSET` (not mentioned), None (taken away) and a value are three things
(rule: wanted-is-not-observed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from mappings.attributes import BUILT_IN, AttributeType
from sync.domain.accounts.account import Account, Life, login_key
from sync.domain.accounts.spelling import one_form


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
    attributes: Mapping[str, str | None] = field(default_factory=dict, hash=False)

    def account(self, account_id: str, created_at: datetime) -> Account:
        """The account as it would be stored: names in their one form, those for logging in in lower case."""
        given = {name: getattr(self, name) for name in _OF_NEW}
        given["attributes"] = {key: text for key, text in sorted(self.attributes.items()) if text is not None}
        given["username"] = self.username or self.email
        return Account(id=account_id, life=Life.ACTIVE, created_at=created_at, **_in_one_form(given))


@dataclass(frozen=True, slots=True)
class AccountChange:
    """A change of one account; only what is not UNSET changes. Deactivation is its own command. Of the company's
    own attributes only those change that are named; None takes one away."""

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
    attributes: Mapping[str, str | None] = field(default_factory=dict, hash=False)

    def applied_to(self, account: Account) -> Account:
        """The account after the change, with its names in the same form as those of a new one."""
        wanted = {name: value for name in _OF_CHANGE if (value := getattr(self, name)) is not UNSET}
        merged = {**account.attributes, **self.attributes}
        wanted["attributes"] = {key: text for key, text in sorted(merged.items()) if text is not None}
        return replace(account, **_in_one_form(wanted))


def _in_one_form(wanted: dict[str, Any]) -> dict[str, Any]:
    """Names are brought into it where they stand."""
    for name in _LOGINS & wanted.keys():
        wanted[name] = login_key(wanted[name])
    for name in _SPELLED & wanted.keys():
        if wanted[name] is not None:
            wanted[name] = one_form(wanted[name])
    return wanted


def with_attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by field and by key of the company's attributes, as a NewAccount or an AccountChange takes them."""
    named = {name: value for name, value in values.items() if name in _CHANGEABLE}
    return named | {"attributes": {name: value for name, value in values.items() if name not in _CHANGEABLE}}


def changed_fields(before: Account, after: Account) -> dict[str, tuple[object, object]]:
    """What differs between two versions of one account: field → (before, after), for audit and review; the
    company's own attributes by their keys."""
    was, is_ = stated_fields(before), stated_fields(after)
    return {
        name: (was.get(name), is_.get(name))
        for name in (*is_, *(was.keys() - is_.keys()))
        if was.get(name) != is_.get(name)
    }


def stated_fields(account: Account) -> dict[str, object]:
    """Every field by its name, the company's own attributes among them by their keys."""
    return {name: getattr(account, name) for name in _OWN_FIELDS} | dict(account.attributes)


def plain(value: Any) -> Any:  # noqa: ANN401 - any field's
    """A field's value as JSON holds it."""
    return value.isoformat() if isinstance(value, date) else value


def from_plain(name: str, value: Any) -> Any:  # noqa: ANN401 - any field's
    """The field's value again."""
    return date.fromisoformat(value) if name in _DATES and value is not None else value


_LOGINS = frozenset({"username", "email"})
_SPELLED = frozenset({"given_name", "family_name", "employee_number"})
_DATES = frozenset(each.key for each in BUILT_IN if each.type is AttributeType.DATE)
_OF_NEW = tuple(each.name for each in fields(NewAccount))
_OF_CHANGE = tuple(each.name for each in fields(AccountChange))
_CHANGEABLE = frozenset(_OF_CHANGE) - {"attributes"}
_OWN_FIELDS = tuple(each.name for each in fields(Account) if each.name != "attributes")


GRANTS = frozenset({"profile", "branch", "team", "data_access", "technician_id"})
"""The fields that give or take access: their history is kept with who, when, door and why (A7)."""
