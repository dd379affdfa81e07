"""Accounts as a list, a page at a time (A1)."""

from __future__ import annotations

from sync.domain.access.scope import Scope
from sync.store.accounts import listing
from sync.store.accounts.listing import Page
from sync.store.accounts.query import AccountQuery
from sync.store.database.transactions import Tx


def list_accounts(tx: Tx, scope: Scope, query: AccountQuery) -> Page:
    """What the query asks for, of the scope."""
    return listing.list_accounts(tx, scope, query)
