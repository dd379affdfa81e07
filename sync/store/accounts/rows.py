"""Accounts as rows: the columns of an `Account`, and the keys by which it is found and sorted.

The keys are made here, in Python, because SQLite and PostgreSQL fold letters differently.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import RowMapping

from sync.domain.accounts.account import Account, Life, login_key
from sync.domain.accounts.same_person import email_local, fold, name_key
from sync.store.database.tables import account as table

FIELDS = tuple(field.name for field in fields(Account))
COLUMNS = (*(table.c[name] for name in FIELDS), table.c.expected)

OBSERVED = frozenset({"idp_user_id", "created_at"})
"""Fields that a change of what is wanted leaves alone (rule: wanted-is-not-observed)."""


def from_row(row: RowMapping) -> Account:
    """An account from a row that has at least the columns of `COLUMNS`."""
    values = {name: row[name] for name in FIELDS}
    values["life"] = Life.EXPECTED if row["expected"] else Life(values["life"])
    return Account(**values)


def to_row(account: Account) -> dict[str, Any]:
    """Every column of the table."""
    expected = account.life is Life.EXPECTED
    return {name: getattr(account, name) for name in FIELDS} | {
        "life": Life.INACTIVE.value if expected else account.life.value,
        "expected": expected,
        "username_key": login_key(account.username),
        "email_local": email_local(account.email),
        "name_key": name_key(account.given_name, account.family_name),
        "search_text": "\n".join(
            fold(text)
            for text in (
                account.username,
                account.email,
                account.full_name,
                account.employee_number,
                account.technician_id,
            )
            if text
        ),
    }


def login_keys(account: Account) -> frozenset[str]:
    """The names under which the person can log in."""
    return frozenset({login_key(account.username), login_key(account.email)})
