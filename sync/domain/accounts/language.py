"""In which language somebody is spoken to: what the branch says (I7)."""

from __future__ import annotations

from mappings.policy import Policy
from sync.domain.accounts.account import Account


def language_of(account: Account, policy: Policy) -> str | None:
    """One of `mappings.realm.LANGUAGES`; None where the branch says nothing, or is not known to this process
    yet."""
    branch = policy.branches.get(account.branch) if account.branch is not None else None
    return None if branch is None else branch.language
