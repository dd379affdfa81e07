"""Naming one account at the command line, in whatever way a person knows it."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.desk import Desk
from sync.domain.accounts.account import Account
from sync.domain.errors import NotFound, Problem, Refused
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx

Who = Annotated[str, typer.Argument(help="Username, e-mail, employee number, technician id or account id.")]


def the_account(desk: Desk, who: str) -> Account:
    """The one account that is meant. Raises NotFound if none is, Refused if several are."""
    with desk.db.read() as tx:
        return account_in(tx, who)


def account_in(tx: Tx, who: str) -> Account:
    """`the_account`, in a transaction that goes on."""
    found = accounts.find(tx, who)
    if not found:
        raise NotFound([Problem("account", f"{who!r} is nobody's", "see fsm-identity account list")])
    if len(found) > 1:
        names = ", ".join(account.username for account in found)
        raise Refused([Problem("account", f"{who!r} may be {names}", "name one of these usernames")])
    return found[0]
