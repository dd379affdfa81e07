"""The last account that can administer stays, and the last that can administer the whole company, whoever asks
(rule: last-administrator): no permission, the world.

All administrators are locked in the order of their ids, the account that is to change among them, before
anything is decided: of two that demote each other at once the second sees what the first has done, and neither
waits for what the other holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from mappings.policy import Policy
from mappings.profiles import ADMINISTER
from sync.domain.access.data_access import data_access_of
from sync.domain.accounts.account import Account, Life
from sync.domain.errors import Problem, Refused, Transient
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx


def lock(tx: Tx, policy: Policy, account_ids: Collection[str]) -> frozenset[str]:
    """Lock these accounts, and with them every administrator if one of them is one. Returns the administrators."""
    administrators = accounts.active_of(tx, _administering(policy))
    together = administrators if administrators & set(account_ids) else frozenset()
    accounts.lock_all(tx, sorted(together | set(account_ids)))
    return together


def keep_one(tx: Tx, policy: Policy, before: Account, after: Account, locked: frozenset[str]) -> None:
    """`locked` is what `lock` returned. Raises Refused for the last one; Transient if somebody has become an
    administrator in that moment and could not be locked with the others."""
    _keep_one(tx, policy, before, after, locked, _administers, "administer", "an administering profile")
    whole, remedy = "administer the whole company", "an administering profile and access to the whole company"
    _keep_one(tx, policy, before, after, locked, _administers_everything, whole, remedy)


def _keep_one(
    tx: Tx,
    policy: Policy,
    before: Account,
    after: Account,
    locked: frozenset[str],
    is_one: Callable[[Account, Policy], bool],
    what: str,
    needed: str,
) -> None:
    if not is_one(before, policy) or is_one(after, policy):
        return
    known = accounts.read_many(tx, accounts.active_of(tx, _administering(policy)))
    there = frozenset(each.id for each in known.values() if is_one(each, policy))
    if before.id not in locked or len(there & locked) <= 1 < len(there):
        raise Transient("somebody has just become an administrator, and nothing was stored")
    if len(there) <= 1:
        reason = f"{before.username} is the last active account that can {what}"
        raise Refused([Problem("profile", reason, f"give another account {needed} first")])


def _administers(account: Account, policy: Policy) -> bool:
    return account.life is Life.ACTIVE and account.profile in _administering(policy)


def _administers_everything(account: Account, policy: Policy) -> bool:
    """Who administers one branch alone can give nobody more than that."""
    access = data_access_of(account, policy)
    return _administers(account, policy) and access is not None and access.effective.needs is None


def _administering(policy: Policy) -> frozenset[str]:
    return frozenset(key for key, profile in policy.profiles.items() if ADMINISTER in profile.features)
