"""Naming one account in whatever way a person knows it, within what the caller may see."""

from __future__ import annotations

from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.errors import NotFound, Problem, Refused
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx


def find(tx: Tx, scope: Scope, who: str) -> Account:
    """The one account that is meant: by username, e-mail, employee number, technician id or account id. Raises
    NotFound if none is, or only one outside the scope, which is told alike; Refused if several are."""
    found = [account for account in accounts.find(tx, who) if scope.holds(account)]
    if not found:
        raise NotFound([Problem("account", f"{who!r} is nobody's", "see fsm-identity account list")])
    if len(found) > 1:
        names = ", ".join(account.username for account in found)
        raise Refused([Problem("account", f"{who!r} may be {names}", "name one of these usernames")])
    return found[0]


def within(tx: Tx, scope: Scope, account_id: str) -> Account:
    """By id. Raises NotFound, for an account outside the scope too."""
    account = accounts.get(tx, account_id)
    if account is None or not scope.holds(account):
        raise NotFound([Problem("account", f"{account_id} does not exist", "see fsm-identity account list")])
    return account
