"""What groups carry: the same groups that accounts are put into, parents first, nothing on parents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mappings import load
from mappings.policy import Policy
from sync.domain.access import vocabulary
from sync.domain.access.group_roles import PARENTS, GroupRoles, attributes_of_groups, roles_of_groups


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The mapping files that ship."""
    return load(None)


@pytest.mark.supports("A6", "C6")
def test_a_profile_group_carries_its_role_its_features_and_the_second_factor(policy: Policy) -> None:
    """One membership gives everything a profile means."""
    administrator, technician = policy.profiles["administrator"], policy.profiles["technician"]
    roles = roles_of_groups(policy)
    assert roles[vocabulary.profile_group("administrator")] == GroupRoles(
        frozenset({"fsm-profile-administrator", "fsm-2fa-required"}), administrator.features
    )
    assert roles[vocabulary.profile_group("technician")] == GroupRoles(
        frozenset({"fsm-profile-technician"}), technician.features
    )


@pytest.mark.supports("B3", "C6")
def test_the_two_single_groups_carry_one_role_each(policy: Policy) -> None:
    """Field work and the second factor are given beside the profile."""
    roles = roles_of_groups(policy)
    assert roles[vocabulary.FIELD_TECHNICIANS] == GroupRoles(frozenset({"fsm-field-technician"}))
    assert roles[vocabulary.SECOND_FACTOR] == GroupRoles(frozenset({"fsm-2fa-required"}))


@pytest.mark.supports("A6")
def test_every_leaf_but_the_single_groups_carries_its_claim(policy: Policy) -> None:
    """The claim's value is the key of the mapping file; parents and the single groups carry none."""
    attributes = attributes_of_groups(policy)
    assert attributes["/fsm/profiles/dispatcher"] == {"fsm_profile": ("dispatcher",)}
    assert attributes["/fsm/branches/hamburg"] == {"fsm_branch": ("hamburg",)}
    assert attributes["/fsm/teams/hamburg-heizung"] == {"fsm_team": ("hamburg-heizung",)}
    assert attributes["/fsm/data-access/global"] == {"fsm_data_access": ("global",)}
    without = {path for path, carried in attributes.items() if not carried}
    assert without == {*PARENTS, vocabulary.FIELD_TECHNICIANS, vocabulary.SECOND_FACTOR}


def test_both_answers_name_the_same_groups_parents_first(policy: Policy) -> None:
    """Whoever makes the groups can make them in this order; parents carry no role."""
    roles = roles_of_groups(policy)
    assert list(roles) == list(attributes_of_groups(policy))
    order = list(roles)
    assert all(
        order.index(path.rpartition("/")[0]) < order.index(path) for path in order if path != vocabulary.ROOT
    )
    assert all(roles[path] == GroupRoles() for path in PARENTS)


def test_a_profile_of_a_company_has_its_group(policy: Policy) -> None:
    """Profiles are data (A3): a new one needs no code."""
    own = replace(policy.profiles["dispatcher"], key="planner", second_factor=True)
    extended = replace(policy, profiles={**policy.profiles, "planner": own})
    assert roles_of_groups(extended)["/fsm/profiles/planner"].realm_roles == {
        "fsm-profile-planner",
        "fsm-2fa-required",
    }
