"""Naming one account in whatever way a person knows it, within what the caller may see."""

from __future__ import annotations

from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.errors import NotFound, Problem, Refused
from sync.store.accounts import accounts, listing
from sync.store.accounts.query import AccountQuery
from sync.store.database.transactions import Tx

PROPOSED = 5
"""So many accounts are named of those that may be meant."""


def find(tx: Tx, scope: Scope, who: str) -> Account:
    """The one account that is meant: by username, e-mail, employee number, technician id or account id, in full.
    Raises NotFound if none is, or only one outside the scope, which is told alike, with those that have the text
    somewhere in a name or number; Refused if several are."""
    found = [account for account in accounts.find(tx, who) if scope.holds(account)]
    if len(found) > 1:
        raise _several(who, found)
    if not found:
        raise NotFound([Problem("account", f"{who!r} is nobody's", _proposal(_having(tx, scope, who)))])
    return found[0]


def find_by_part(tx: Tx, scope: Scope, who: str) -> Account:
    """`find`, or the only account that a list would show for the text (`listing`): for what changes nothing."""
    exact = [account for account in accounts.find(tx, who) if scope.holds(account)]
    found = exact or _having(tx, scope, who)
    if len(found) > 1:
        raise _several(who, found)
    return found[0] if found else find(tx, scope, who)


def _having(tx: Tx, scope: Scope, text: str) -> list[Account]:
    """The first few accounts with the text in them; one more than is told of."""
    if not text.strip():
        return []
    page = listing.list_accounts(tx, scope, AccountQuery(text=text.strip(), limit=PROPOSED + 1))
    return [row.account for row in page.items]


def _several(who: str, found: list[Account]) -> Refused:
    return Refused([Problem("account", f"{who!r} may be {_names(found)}", "name one of these usernames")])


def _proposal(near: list[Account]) -> str:
    return f"did you mean {_names(near)}?" if near else "see fsm-identity account list"


def _names(found: list[Account]) -> str:
    more = ["others"] if len(found) > PROPOSED else []
    return ", ".join([account.username for account in found[:PROPOSED]] + more)


def within(tx: Tx, scope: Scope, account_id: str) -> Account:
    """By id. Raises NotFound, for an account outside the scope too."""
    account = accounts.get(tx, account_id)
    if account is None or not scope.holds(account):
        raise NotFound([Problem("account", f"{account_id} does not exist", "see fsm-identity account list")])
    return account


def with_technician(tx: Tx, scope: Scope, technician_id: str) -> Account:
    """Who has the technician record. Raises NotFound where nobody has, for an account outside the scope too."""
    account = accounts.by_technician(tx, technician_id)
    if account is None or not scope.holds(account):
        reason = f"no account has the technician {technician_id!r}"
        raise NotFound([Problem("technician", reason, "see fsm-identity technician list")])
    return account


def with_login(tx: Tx, scope: Scope, name: str) -> Account:
    """Who logs in by this username or e-mail address. Raises NotFound, for an account outside the scope too."""
    account = accounts.by_login(tx, name)
    if account is None or not scope.holds(account):
        raise NotFound([Problem("account", f"nobody logs in as {name!r}", "see fsm-identity account list")])
    return account
