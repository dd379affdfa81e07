"""What each group of ours carries in Keycloak: roles that its members get, attributes that become claims (A6).

The realm configuration brings the groups to this state, the accounts gateway compares them with it before it
lets anybody join; both read it here, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mappings.policy import Policy
from sync.domain.access import vocabulary

PROFILE_CLAIM = "fsm_profile"
BRANCH_CLAIM = "fsm_branch"
TEAM_CLAIM = "fsm_team"
DATA_ACCESS_CLAIM = "fsm_data_access"

PARENTS = (
    vocabulary.ROOT,
    vocabulary.PROFILES,
    vocabulary.BRANCHES,
    vocabulary.TEAMS,
    vocabulary.DATA_ACCESS,
)


@dataclass(frozen=True, slots=True)
class GroupRoles:
    """`realm_roles` are names of realm roles, `feature_roles` names of roles of the client `fsm`."""

    realm_roles: frozenset[str] = frozenset()
    feature_roles: frozenset[str] = frozenset()


def roles_of_groups(policy: Policy) -> Mapping[str, GroupRoles]:
    """Every group path of ours with the roles it carries, parents before their children.

    Parents carry nothing: in Keycloak the members of a group also get the roles of the groups above it
    (fact: roles-come-from-groups-above).
    """
    nothing = GroupRoles()
    roles = dict.fromkeys(PARENTS, nothing)
    for key, profile in policy.profiles.items():
        realm_roles = {vocabulary.profile_role(key)}
        if profile.second_factor:
            realm_roles.add(vocabulary.SECOND_FACTOR_ROLE)
        roles[vocabulary.profile_group(key)] = GroupRoles(frozenset(realm_roles), profile.features)
    roles |= dict.fromkeys(map(vocabulary.branch_group, policy.branches), nothing)
    roles |= dict.fromkeys(map(vocabulary.team_group, policy.teams), nothing)
    roles |= dict.fromkeys(map(vocabulary.data_access_group, policy.data_access), nothing)
    roles[vocabulary.FIELD_TECHNICIANS] = GroupRoles(frozenset({vocabulary.FIELD_TECHNICIAN_ROLE}))
    roles[vocabulary.SECOND_FACTOR] = GroupRoles(frozenset({vocabulary.SECOND_FACTOR_ROLE}))
    return roles


def attributes_of_groups(policy: Policy) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Every group path of ours with the attributes it carries, parents before their children.

    Keycloak's user-attribute mapper reads the attributes of a user's groups, the groups above them included
    (fact: group-attributes-become-claims), so parents carry none.
    """
    attributes: dict[str, Mapping[str, tuple[str, ...]]] = {path: {} for path in roles_of_groups(policy)}
    for claim, group_of, keys in (
        (PROFILE_CLAIM, vocabulary.profile_group, policy.profiles),
        (BRANCH_CLAIM, vocabulary.branch_group, policy.branches),
        (TEAM_CLAIM, vocabulary.team_group, policy.teams),
        (DATA_ACCESS_CLAIM, vocabulary.data_access_group, policy.data_access),
    ):
        attributes |= {group_of(key): {claim: (key,)} for key in keys}
    return attributes
