"""Reports over all accounts: so far those that nobody uses (D8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account, Life
from sync.domain.logins.unused import Patience, Use, use_of
from sync.store import logins
from sync.store.accounts.query import AccountQuery
from sync.views.accounts.listing import every_account


@dataclass(frozen=True, slots=True)
class Unused:
    """`last_used_at` is the last login or refresh that is known."""

    account: Account
    use: Use
    last_used_at: datetime | None


def unused(desk: Desk, scope: Scope, patience: Patience, now: datetime) -> Iterator[Unused]:
    """Active accounts that are not used, by username; nothing is done about them."""
    with desk.db.read() as tx:
        gaps = logins.gaps(tx)
    for row in every_account(desk, scope, AccountQuery(life=Life.ACTIVE)):
        use = use_of(row.activity, row.account.created_at, gaps, patience, now)
        if use is not None:
            last = max(filter(None, (row.activity.last_login_at, row.activity.last_used_at)), default=None)
            yield Unused(row.account, use, last)
