"""The last account that can administer stays, whoever asks (rule: last-administrator): no permission, the world.

All administrators are locked in the order of their ids, the account that is to change among them, before
anything is decided: of two that demote each other at once the second sees what the first has done, and neither
waits for what the other holds.
"""

from __future__ import annotations

from collections.abc import Collection

from mappings.policy import Policy
from mappings.profiles import ADMINISTER
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
    profiles = _administering(policy)
    was = before.life is Life.ACTIVE and before.profile in profiles
    stays = after.life is Life.ACTIVE and after.profile in profiles
    if not was or stays:
        return
    there = accounts.active_of(tx, profiles)
    if before.id not in locked or len(there & locked) <= 1 < len(there):
        raise Transient("somebody has just become an administrator, and nothing was stored")
    if len(there) <= 1:
        raise Refused(
            [
                Problem(
                    "profile",
                    f"{before.username} is the last active account that can administer",
                    "give another account an administering profile first",
                )
            ]
        )


def _administering(policy: Policy) -> frozenset[str]:
    return frozenset(key for key, profile in policy.profiles.items() if ADMINISTER in profile.features)
