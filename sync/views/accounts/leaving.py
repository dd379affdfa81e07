"""What is asked for and waits for the work-order gate, of one account (D4)."""

from __future__ import annotations

from sync.domain.access.scope import Scope
from sync.domain.deactivation.request import OpenDeactivation
from sync.domain.errors import NotFound, Problem
from sync.store.database.transactions import Tx
from sync.store.deactivation import deactivations
from sync.views.accounts.find import within


def open_deactivation(tx: Tx, scope: Scope, account_id: str) -> OpenDeactivation:
    """Raises NotFound where nothing waits, for an account outside the scope too."""
    account = within(tx, scope, account_id)
    found = deactivations.open_for(tx, account.id)
    if found is None:
        reason = f"nothing of {account.username} waits for open work orders"
        raise NotFound([Problem("deactivation", reason, "the account says whether it is active")])
    return found
