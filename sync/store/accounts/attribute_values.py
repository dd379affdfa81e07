"""The values of the attributes that a company has added, as rows: to find accounts and to count (A10).

`accounts` writes them with the account; nobody else does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, delete, func, select

from sync.domain.accounts.account import Account
from sync.store.database.batches import batches
from sync.store.database.tables import account as accounts
from sync.store.database.tables import attribute_value as values
from sync.store.database.transactions import Tx


def insert_all(tx: Tx, new: Sequence[Account]) -> None:
    rows = [
        {"account_id": account.id, "key": key, "text": text}
        for account in new
        for key, text in sorted(account.attributes.items())
    ]
    if rows:
        tx.connection.execute(values.insert(), rows)


def replace(tx: Tx, account: Account) -> None:
    """The rows become those of the account."""
    tx.connection.execute(delete(values).where(values.c.account_id == account.id))
    insert_all(tx, [account])


def having(wanted: Mapping[str, str]) -> Iterator[ColumnElement[bool]]:
    """Conditions for accounts that have all these values, given as canonical texts."""
    for key, text in sorted(wanted.items()):
        found = select(values.c.account_id).where(values.c.key == key, values.c.text == text)
        yield accounts.c.id.in_(found)


def counted_values(tx: Tx, keys: Collection[str]) -> Iterator[tuple[str, str, int]]:
    """(key, text, number of accounts) for each value of these attributes that an account has."""
    for some in batches(keys):
        rows = tx.connection.execute(
            select(values.c.key, values.c.text, func.count())
            .where(values.c.key.in_(some))
            .group_by(values.c.key, values.c.text)
            .order_by(values.c.key, values.c.text)
        )
        yield from ((row[0], row[1], row[2]) for row in rows)
