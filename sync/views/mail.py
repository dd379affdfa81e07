"""Mails that failed or expired, and whom no mail reaches, for whoever may send again (F7, H3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sync.domain.access.scope import Scope
from sync.domain.accounts.account import login_key
from sync.domain.errors import NotFound, Problem
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.mail import failed_mails
from sync.store.mail.failed_mails import FailedMail
from sync.store.mail.unreachable import Unreachable, listed


def failed(tx: Tx, scope: Scope, now: datetime, limit: int | None = None) -> tuple[FailedMail, ...]:
    """The newest first; None: all of them. Raises Refused for a scope of one branch."""
    scope.require_everything("mails")
    return failed_mails.newest(tx, now, limit)


def unreachable(tx: Tx, scope: Scope, limit: int | None = None) -> tuple[Unreachable, ...]:
    """Whose address the mail server refused, or mails came back from. Limit and errors as of `failed`."""
    scope.require_everything("mails")
    return listed(tx, limit)


def require_known(tx: Tx, scope: Scope, addresses: Sequence[str]) -> None:
    """For a person, who may have mistyped one. Raises NotFound for each that is no account's address now,
    Refused for a scope of one branch."""
    scope.require_everything("mails")
    owners = {each: accounts.by_login(tx, each) for each in addresses}
    nobody = [
        address
        for address, owner in owners.items()
        if owner is None or login_key(owner.email) != login_key(address)
    ]
    if nobody:
        raise NotFound(
            [Problem("address", f"{each} is nobody's", "see fsm-identity account list") for each in nobody]
        )
