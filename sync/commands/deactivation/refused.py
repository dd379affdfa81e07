"""After the work-order gate said no to a wish under the policy *refuse*: what was asked for is undone (D4)."""

from __future__ import annotations

from datetime import datetime

from mappings.policy import Policy
from mappings.profiles import ADMINISTER
from sync.commands.access import authority
from sync.commands.accounts.change import existing, write_down
from sync.domain.access.callers import System
from sync.domain.access.cause import Cause, Origin
from sync.domain.access.permissions import Permission
from sync.domain.accounts.account import Account
from sync.domain.accounts.rules import check
from sync.domain.deactivation.request import OpenDeactivation
from sync.domain.errors import Refused
from sync.domain.wording import counted
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.provisioning import due


def put_back(tx: Tx, policy: Policy, request: OpenDeactivation, work_orders: int, now: datetime) -> None:
    """The account is wanted as it was before. A change that cannot be undone, because a rule of today or another
    account has something against it, stays wanted, and nobody loses access: the next look finds that no wish is
    left, and holds it."""
    before = existing(tx, request.account_id)
    after = request.undone(before)
    if request.change is not None and not _may_return(before, after, policy):
        return
    by = Cause(System.WORK_ORDER_GATE, None, counted(work_orders, "open work order"), Origin.RULE)
    permission = Permission.REACTIVATE if request.change is None else Permission.CHANGE
    granted = authority.allow_account(tx, policy, by, permission, before, after, now)
    try:
        accounts.update(tx, granted)
    except Refused:
        if request.change is None:
            raise
        return
    write_down(tx, before, after, f"{request.what} refused", by, now)
    due.mark_due(tx, request.account_id, Lane.INTERACTIVE, now)


def _may_return(before: Account, after: Account, policy: Policy) -> bool:
    """An administrator's way back would have to wait for all the others (rule: last-administrator). It asks for
    nothing that it had not asked for already."""
    administers = ADMINISTER in policy.profiles[before.profile].features
    return after != before and not check(after, policy, after) and not administers
