"""The one place that says yes: a command asks here with the account it has locked and what it shall become, and
gets what the store demands before it writes anything that is wanted (I4, A7).

What a Person may do is read from the row of the account in the same transaction, never from a token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mappings.policy import Policy
from sync.domain.access.callers import Person
from sync.domain.access.cause import Cause
from sync.domain.access.granted import Granted, GrantedAccount
from sync.domain.access.may import may
from sync.domain.access.permissions import Permission
from sync.domain.accounts.account import Account
from sync.domain.errors import NotAllowed, Problem, Refused
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx


@dataclass(frozen=True)
class _Granted(Granted):
    @property
    def from_authority(self) -> bool:
        return True


@dataclass(frozen=True)
class _GrantedAccount(GrantedAccount):
    @property
    def from_authority(self) -> bool:
        return True


def allow(tx: Tx, policy: Policy | None, by: Cause, permission: Permission, now: datetime) -> Granted:
    """For what is about no single account. `policy` None: there is none at an operator's desk.

    Raises Refused without a reason, NotAllowed with what stands in the way.
    """
    _judge(tx, policy, by, permission, None, None, now)
    return _Granted(by, permission)


def allow_account(
    tx: Tx,
    policy: Policy | None,
    by: Cause,
    permission: Permission,
    before: Account | None,
    after: Account,
    now: datetime,
) -> GrantedAccount:
    """For one account: as it is, read under its lock, and as it shall be. `before` None: it is made. Raises as
    `allow`."""
    _judge(tx, policy, by, permission, before, after, now)
    return _GrantedAccount(by, permission, before, after)


def judge_of(
    tx: Tx, policy: Policy, by: Cause, now: datetime
) -> Callable[[Account | None, Account], Problem | None]:
    """For the rows of a run, which are judged before anything is stored: what stands in the way of making this of
    an account (None: a new one)."""
    own, today = own_row(tx, by), now.date()

    def judge(before: Account | None, after: Account) -> Problem | None:
        permission = Permission.CREATE if before is None else Permission.CHANGE
        return may(by.caller, permission, before, after, own=own, policy=policy, today=today)

    return judge


def require_reason(by: Cause) -> None:
    """Raises Refused where somebody does not say why (A7)."""
    if not by.reason.strip():
        raise Refused([Problem("reason", "is missing", "say why, in a few words")])


def own_row(tx: Tx, by: Cause) -> Account | None:
    """The account of the caller, read without a lock: two administrators at each other's accounts never wait for
    each other. None: the caller is nobody with an account."""
    caller = by.caller
    if not isinstance(caller, Person) or caller.account_id is None:
        return None
    return accounts.peek(tx, caller.account_id)


def _judge(
    tx: Tx,
    policy: Policy | None,
    by: Cause,
    permission: Permission,
    before: Account | None,
    after: Account | None,
    now: datetime,
) -> None:
    require_reason(by)
    problem = may(by.caller, permission, before, after, own=own_row(tx, by), policy=policy, today=now.date())
    if problem is not None:
        raise NotAllowed([problem])
