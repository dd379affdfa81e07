"""Somebody made an attribute required in Keycloak: whoever lacks it cannot be written any more, and still has to
be able to leave."""

from __future__ import annotations

import re

import pytest

from mappings.policy import Policy
from sync.domain.errors import Failure, FailureCode, Misconfigured
from sync.domain.provisioning.change import (
    Disable,
    Enable,
    EndSessions,
    JoinGroup,
    LeaveGroup,
    TakeCredentials,
    UpdateDetails,
)
from sync.domain.provisioning.observed import Sessions
from tests.contract.accounts.conftest import BRANCH, OTHER_BRANCH, create, created, look, wanted
from tests.contract.worlds import World

DEMANDED = "costcentre"
PATTERN = "CC-[0-9]{4}"


@pytest.mark.supports("D6")
def test_a_leaver_without_the_attribute_is_disabled_with_a_value_made_up(world: World, policy: Policy) -> None:
    """The value is one that the realm takes, and the change says which: everything else of the user stays."""
    idp_user_id = created(world, wanted(policy))
    before = look(world, idp_user_id)
    with world.demanding(DEMANDED, fits=PATTERN):
        made = world.accounts.apply(idp_user_id, Disable())
        after = look(world, idp_user_id)
        assert world.accounts.apply(idp_user_id, Disable()) == Disable()
    assert isinstance(made, Disable)
    [(name, value)] = made.given
    assert name == DEMANDED
    assert re.fullmatch(PATTERN, value)
    assert not after.enabled
    assert after.attributes == {**before.attributes, DEMANDED: (value,)}
    assert (after.username, after.email, after.groups) == (before.username, before.email, before.groups)


@pytest.mark.supports("D6")
def test_where_no_value_can_be_made_up_the_attribute_is_named(world: World, policy: Policy) -> None:
    """It is a matter of the realm, the same for everybody, whatever is changed of the user."""
    idp_user_id = created(world, wanted(policy))
    renamed = UpdateDetails({"family_name": "O'Neill"}, {"family_name": "Nowak"})
    with world.demanding(DEMANDED, fits=None):
        for change in (Disable(), Enable(), renamed):
            with pytest.raises(Misconfigured) as raised:
                world.accounts.apply(idp_user_id, change)
            assert raised.value.cause == f"{FailureCode.ATTRIBUTE_DEMANDED} {DEMANDED}"
        assert look(world, idp_user_id).enabled


@pytest.mark.supports("D6")
def test_what_takes_access_works_all_the_same(world: World, policy: Policy) -> None:
    """Keycloak judges neither groups, sessions nor credentials."""
    idp_user_id = created(world, wanted(policy))
    token = world.log_in(idp_user_id, offline=True)
    with world.demanding(DEMANDED, fits=None):
        for _ in range(2):
            for change in (TakeCredentials(), EndSessions("leaver"), LeaveGroup(BRANCH), JoinGroup(OTHER_BRANCH)):
                world.accounts.apply(idp_user_id, change)
        seen = look(world, idp_user_id, sessions=True)
    assert not world.refreshes(token)
    assert seen.sessions == Sessions()
    assert BRANCH not in seen.groups
    assert OTHER_BRANCH in seen.groups
    assert world.credentials_of(idp_user_id) == []


def test_nobody_is_made_whom_nobody_could_disable(world: World, policy: Policy) -> None:
    """Both ways of creating refuse alike, and name what is demanded."""
    desired = wanted(policy)
    with world.demanding(DEMANDED, fits=PATTERN):
        [outcome] = create(world, desired)
        assert isinstance(outcome, Failure)
        assert outcome.cause == f"{FailureCode.ATTRIBUTE_DEMANDED} {DEMANDED}"
        assert world.holders(desired.username) == []
    created(world, desired)
