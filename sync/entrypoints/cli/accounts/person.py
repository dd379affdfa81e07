"""Naming one account at the command line, in whatever way a person knows it."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.store.database.transactions import Tx
from sync.views.accounts.find import find, find_by_part

Who = Annotated[str, typer.Argument(help="Username, e-mail, employee number, technician id or account id.")]


def the_account(desk: Desk, who: str, *, by_part: bool = False) -> Account:
    """The one account that is meant; `by_part`: who has this in a name or number will do, for what only shows.
    Raises NotFound if none is, Refused if several are."""
    with desk.db.read() as tx:
        return account_in(tx, who, by_part=by_part)


def account_in(tx: Tx, who: str, *, by_part: bool = False) -> Account:
    """`the_account`, in a transaction that goes on."""
    return find_by_part(tx, Scope.all(), who) if by_part else find(tx, Scope.all(), who)
