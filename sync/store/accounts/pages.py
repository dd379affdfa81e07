"""All accounts that have a user in Keycloak, page by page, for a comparison of everything: memory stays flat."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import select

from sync.domain.accounts.account import Account
from sync.store.accounts.rows import COLUMNS, from_row
from sync.store.database.batches import batches
from sync.store.database.tables import account as accounts
from sync.store.database.transactions import Database, Tx

PAGE = 2000


def in_keycloak(db: Database) -> Iterator[tuple[Account, ...]]:
    """In the order of their ids; each page in a transaction of its own."""
    after = ""
    while True:
        with db.read() as tx:
            rows = tx.connection.execute(
                select(*COLUMNS)
                .where(accounts.c.id > after, accounts.c.idp_user_id.is_not(None))
                .order_by(accounts.c.id)
                .limit(PAGE)
            )
            page = tuple(from_row(row) for row in rows.mappings())
        if page:
            yield page
            after = page[-1].id
        if len(page) < PAGE:
            return


def ids_in_keycloak(db: Database) -> Iterator[tuple[tuple[str, str], ...]]:
    """(account id, id of the Keycloak user) of all of them, as `in_keycloak`."""
    after = ""
    while True:
        with db.read() as tx:
            rows = tx.connection.execute(
                select(accounts.c.id, accounts.c.idp_user_id)
                .where(accounts.c.id > after, accounts.c.idp_user_id.is_not(None))
                .order_by(accounts.c.id)
                .limit(PAGE)
            )
            page = tuple((row.id, row.idp_user_id) for row in rows)
        if page:
            yield page
            after = page[-1][0]
        if len(page) < PAGE:
            return


def some_users(tx: Tx, limit: int) -> tuple[str, ...]:
    """Ids of Keycloak users of ours, the newest accounts first."""
    found = select(accounts.c.idp_user_id).where(accounts.c.idp_user_id.is_not(None))
    return tuple(tx.connection.scalars(found.order_by(accounts.c.id.desc()).limit(limit)))


def of_users(tx: Tx, idp_user_ids: Collection[str]) -> Mapping[str, str]:
    """Id of the Keycloak user to the id of the account that has it. A user whose id is an account's own is that
    account's too: it was created a moment ago, and its id is not noted down yet."""
    found: dict[str, str] = {}
    for some in batches(idp_user_ids):
        by_user = select(accounts.c.idp_user_id, accounts.c.id).where(accounts.c.idp_user_id.in_(some))
        by_account = select(accounts.c.id, accounts.c.id).where(
            accounts.c.id.in_(some), accounts.c.idp_user_id.is_(None)
        )
        for query in (by_user, by_account):
            found.update((row[0], row[1]) for row in tx.connection.execute(query))
    return found
