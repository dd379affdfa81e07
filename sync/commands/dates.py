"""What a day brings by itself: the first one opens an account, the last one deactivates it, and some days before
the first the welcome mail goes (E4).

Each is `f(tx, policy, account_id, now)`, reads the account under its lock and decides anew: what was planned may
have been changed a moment ago. Nobody asks for it then: whoever wrote the date was asked whether they may.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mappings.policy import Policy
from sync.commands.access import authority
from sync.commands.accounts.change import existing, write_down
from sync.commands.acts import give_first_password
from sync.commands.deactivation.deactivate import deactivate
from sync.domain.access.callers import System
from sync.domain.access.cause import Cause, Origin
from sync.domain.access.permissions import Permission
from sync.domain.accounts.account import Account, Life
from sync.domain.dates import is_over, is_to_come, is_welcomed_later
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.work.lane import Lane
from sync.store import dates
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.provisioning import due


def begin(tx: Tx, policy: Policy, account_id: str, now: datetime) -> bool:
    """The first day has come: the account is wanted active. False: it is not so (any more)."""
    before = existing(tx, account_id)
    if before.life is not Life.EXPECTED or is_to_come(before, policy, now):
        return False
    after = replace(before, life=Life.ACTIVE)
    by = _by(System.FIRST_DAY, f"the first day is {before.valid_from or 'no longer waited for'}")
    granted = authority.allow_account(tx, policy, by, Permission.REACTIVATE, before, after, now)
    accounts.update(tx, granted)
    write_down(tx, before, after, "begin", by, now)
    due.mark_due(tx, account_id, Lane.BULK, now)
    return True


def end(tx: Tx, policy: Policy, account_id: str, now: datetime) -> bool:
    """The last day is over: the account is wanted inactive, and open work orders hold it (D4). False: it is not so
    (any more). Raises Refused for the last administrator."""
    before = existing(tx, account_id)
    if before.life is not Life.ACTIVE or not is_over(before, policy, now):
        return False
    by = _by(System.EXPIRY, f"the last day was {before.valid_until}")
    deactivate(tx, policy, account_id, GatePolicy.HOLD, by, now, lane=Lane.BULK)
    return True


def welcome(tx: Tx, policy: Policy, account_id: str, now: datetime) -> bool:
    """The first day is near: a temporary password, counted from now, and its mail. False: it is not so (any
    more)."""
    account = existing(tx, account_id)
    if account.life is Life.INACTIVE or is_welcomed_later(account, policy, now):
        return False
    by = _by(System.FIRST_DAY, f"the first day is {account.valid_from or 'no longer waited for'}")
    granted = authority.allow_account(tx, policy, by, Permission.RESET_PASSWORD, account, account, now)
    if not dates.end_waiting(tx, granted):
        return False
    give_first_password(tx, policy, account, by, now)
    return True


def ended_of(account: Account) -> Account:
    """As it is after its last day."""
    return replace(account, life=Life.INACTIVE)


def _by(caller: System, reason: str) -> Cause:
    return Cause(caller, None, reason, Origin.PLANNED_DATE)
