"""What the newest look at an account showed, and how it differs from what is wanted."""

from __future__ import annotations

from mappings.policy import Policy
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.status import Observation
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.plan import diff
from sync.store.database.transactions import Tx
from sync.store.provisioning import looks
from sync.store.provisioning.looks import Look
from sync.views.accounts.find import within


def newest_look(tx: Tx, scope: Scope, account_id: str) -> Look:
    """Raises NotFound, for an account outside the scope too."""
    return looks.newest(tx, within(tx, scope, account_id).id)


def what_differs(account: Account, policy: Policy, seen: Observation) -> tuple[str, ...]:
    """What a worker would change by what was kept of the look. Names, addresses and attributes are not kept, so
    nothing is said of them."""
    return tuple(str(change) for change in diff(desired_state(account, policy), seen.seen).changes)
