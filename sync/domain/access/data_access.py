"""The data access that an account really has: what it asks for, but no more than its profile may have (A5).

Computed wherever it is needed and never stored: who asks for more than a ceiling that was lowered has less for as
long as it is low, and gets it back with the ceiling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mappings.data_access import DataAccessLevel
from mappings.policy import Policy
from mappings.profiles import Profile
from sync.domain.accounts.account import Account


@dataclass(frozen=True, slots=True)
class DataAccess:
    """`asked`: the account's own level, or else the usual one of its profile. `effective`: the lower of that and
    the highest of the profile."""

    asked: DataAccessLevel
    effective: DataAccessLevel

    @property
    def is_lowered(self) -> bool:
        return self.effective != self.asked

    def __str__(self) -> str:
        if self.is_lowered:
            return f"asks {self.asked.title}, may have {self.effective.title}"
        return self.effective.title


def data_access_of(account: Account, policy: Policy) -> DataAccess | None:
    """None: the mapping files do not know the profile or the level (rule: keys-in-use-stay)."""
    return effective_level(account.profile, account.data_access, policy.profiles, policy.data_access)


def effective_level(
    profile_key: str,
    asked_key: str | None,
    profiles: Mapping[str, Profile],
    levels: Mapping[str, DataAccessLevel],
) -> DataAccess | None:
    """The same by profiles and levels alone, of whichever time; None as there."""
    profile = profiles.get(profile_key)
    asked = None if profile is None else levels.get(asked_key or profile.default_data_access)
    if profile is None or asked is None:
        return None
    ceiling = levels[profile.highest_data_access]
    return DataAccess(asked, min(asked, ceiling, key=lambda level: level.width))
