"""Accounts as a list: a page at a time, or all of them (A1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.store.accounts import listing
from sync.store.accounts.listing import Listed, Page
from sync.store.accounts.query import AccountQuery
from sync.store.database.transactions import Tx


def list_accounts(tx: Tx, scope: Scope, query: AccountQuery) -> Page:
    """What the query asks for, of the scope."""
    return listing.list_accounts(tx, scope, query)


def every_account(desk: Desk, scope: Scope, query: AccountQuery) -> Iterator[Listed]:
    """All that the query asks for, however many. Each page is a transaction of its own: whoever reads slowly holds
    none open."""
    while True:
        with desk.db.read() as tx:
            page = listing.list_accounts(tx, scope, query)
        yield from page.items
        if page.next is None:
            return
        query = replace(query, after=page.next)


def count_accounts(tx: Tx, scope: Scope, query: AccountQuery) -> int:
    """How many the query asks for, whatever its page."""
    return listing.count(tx, scope, query)
