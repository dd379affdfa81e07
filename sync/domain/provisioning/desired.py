"""What Keycloak must hold for an account: a pure function of the account and the policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mappings.attributes import OF_KEYCLOAK_USERS
from mappings.policy import Policy
from mappings.profiles import Profile
from sync.domain.access import vocabulary
from sync.domain.access.data_access import data_access_of
from sync.domain.accounts.account import Account, Life
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.provisioning.observed import ACCOUNT_ID, OWNED_ATTRIBUTES


@dataclass(frozen=True, slots=True)
class DesiredState:
    """The part of a Keycloak user that fsm-identity decides.

    `attributes` are those of the `owned` ones that have a value; an owned one without is taken away.
    `strong_groups` are the profile groups that require the second factor: whoever joins one of them has no session
    left that was opened without it (C6).
    """

    account_id: str
    username: str
    email: str
    given_name: str
    family_name: str
    enabled: bool
    attributes: Mapping[str, tuple[str, ...]]
    groups: frozenset[str]
    strong_groups: frozenset[str]
    owned: frozenset[str] = OWNED_ATTRIBUTES


_ATTRIBUTES = tuple(sorted(OF_KEYCLOAK_USERS))


def desired_state(account: Account, policy: Policy) -> DesiredState:
    """A4-A6, B3. Raises Misconfigured for a profile or a level the policy does not have: a Policy is checked
    against the accounts at start (rule: keys-in-use-stay), so this process was started before it was there."""
    profile = policy.profiles.get(account.profile)
    if profile is None:
        raise Misconfigured(
            f"profile {account.profile!r} is not in the mapping files this process was started with; restart it",
            code=FailureCode.POLICY_BEHIND,
            about=account.profile,
        )
    access = data_access_of(account, policy)
    if access is None:
        raise Misconfigured(
            f"data access {account.data_access!r} is not in the mapping files this process was started with; "
            "restart it",
            code=FailureCode.POLICY_BEHIND,
            about=str(account.data_access),
        )
    groups = {
        vocabulary.profile_group(account.profile),
        vocabulary.data_access_group(access.effective.key),
    }
    if account.branch is not None:
        groups.add(vocabulary.branch_group(account.branch))
    if account.team is not None:
        groups.add(vocabulary.team_group(account.team))
    attributes = {ACCOUNT_ID: (account.id,)}
    for name in _ATTRIBUTES:
        value = getattr(account, name)
        if value is not None:
            attributes[name] = (str(value),)
    attributes |= {key: (text,) for key, text in account.attributes.items() if key in policy.attributes}
    if works_in_the_field(account, profile):
        groups.add(vocabulary.FIELD_TECHNICIANS)
    if profile.second_factor:
        groups.add(vocabulary.SECOND_FACTOR)
    return DesiredState(
        account_id=account.id,
        username=account.username.lower(),
        email=account.email.lower(),
        given_name=account.given_name,
        family_name=account.family_name,
        enabled=account.life is Life.ACTIVE,
        attributes=attributes,
        groups=frozenset(groups),
        strong_groups=frozenset(
            vocabulary.profile_group(each.key) for each in policy.profiles.values() if each.second_factor
        ),
        owned=OWNED_ATTRIBUTES | policy.attributes.keys() | policy.retired_attributes,
    )


def works_in_the_field(account: Account, profile: Profile) -> bool:
    """B3: only an account with a technician link and a profile for field work can be assigned work orders."""
    return account.technician_id is not None and profile.field_work


def does_field_work(account: Account, policy: Policy) -> bool:
    """True while it may be given work orders: it works in the field and is wanted active."""
    return account.life is Life.ACTIVE and works_in_the_field(account, policy.profiles[account.profile])
