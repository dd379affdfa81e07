"""What somebody may give to an account, for choices that show nothing that would be refused (I4). Pure.

It says the same as `may`, which is asked again when something is given.
"""

from __future__ import annotations

from dataclasses import dataclass

from mappings.policy import Policy
from sync.domain.access.may import reach_of
from sync.domain.accounts.account import Account


@dataclass(frozen=True, slots=True)
class MayGive:
    """Keys of the mapping files. `no_branch`: accounts of the whole company, too."""

    profiles: frozenset[str]
    branches: frozenset[str]
    levels: frozenset[str]
    no_branch: bool


def may_give(own: Account | None, policy: Policy) -> MayGive:
    """`own` None: a break-glass name, which may everything."""
    if own is None:
        everywhere = frozenset(policy.branches)
        return MayGive(frozenset(policy.profiles), everywhere, frozenset(policy.data_access), no_branch=True)
    reach = reach_of(own, policy)
    if reach is None:
        return MayGive(frozenset(), frozenset(), frozenset(), no_branch=False)
    return MayGive(
        frozenset(key for key, profile in policy.profiles.items() if profile.rank <= reach.rank),
        frozenset(key for key in policy.branches if reach.everywhere or key == reach.branch),
        frozenset(key for key, level in policy.data_access.items() if level.width <= reach.width),
        no_branch=reach.everywhere,
    )
