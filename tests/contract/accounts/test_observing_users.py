"""What every implementation of the port `Accounts` promises of a look: all that is there, or absent."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from mappings.policy import Policy
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Life
from sync.domain.provisioning.change import Disable, Enable
from sync.domain.provisioning.observed import NOT_LOOKED_AT, Sessions
from sync.domain.provisioning.plan import diff
from tests.contract.accounts.conftest import carry_out, created, look, numbers, wanted
from tests.contract.realm_setup import LOGIN_CLIENT
from tests.contract.worlds import World


def test_a_user_that_does_not_exist_is_absent(world: World) -> None:
    """None is Keycloak's own answer."""
    assert world.accounts.observe(str(uuid.uuid4()), sessions=True) is None


@pytest.mark.supports("D6")
def test_sessions_and_offline_tokens_are_seen_when_asked_for(world: World, policy: Policy) -> None:
    """A look with sessions counts the online ones and names the clients that hold offline tokens."""
    idp_user_id = created(world, wanted(policy))
    assert look(world, idp_user_id, sessions=True).sessions == Sessions()
    world.log_in(idp_user_id, offline=True)
    world.log_in(idp_user_id, offline=False)
    seen = look(world, idp_user_id, sessions=True).sessions
    assert seen is not NOT_LOOKED_AT
    assert seen.online >= 1
    assert seen.offline_clients == {LOGIN_CLIENT}
    assert look(world, idp_user_id).sessions is NOT_LOOKED_AT


@pytest.mark.supports("A8")
def test_a_temporary_lockout_is_not_a_deactivation(world: World, policy: Policy) -> None:
    """The user stays enabled and is reported as locked for now."""
    idp_user_id = created(world, wanted(policy))
    world.lock(idp_user_id, for_good=False)
    observed = look(world, idp_user_id)
    assert observed.enabled
    assert observed.lock.temporary
    assert not observed.lock.permanent
    assert observed.lock.failures >= 2


@pytest.mark.supports("A8")
def test_a_permanent_lockout_is_told_from_a_deactivation(world: World, policy: Policy) -> None:
    """Both show as not enabled; only one of them is a lockout."""
    locked, disabled = created(world, wanted(policy)), created(world, wanted(policy))
    world.lock(locked, for_good=True)
    world.accounts.apply(disabled, Disable())
    seen_locked, seen_disabled = look(world, locked), look(world, disabled)
    assert not seen_locked.enabled
    assert not seen_disabled.enabled
    assert seen_locked.lock.permanent
    assert not seen_locked.lock.temporary
    assert not seen_disabled.lock.permanent


@pytest.mark.supports("C3")
def test_enabling_lifts_a_permanent_lockout(world: World, policy: Policy) -> None:
    """That is why a plan never enables somebody who is locked for good."""
    desired = wanted(policy)
    idp_user_id = created(world, desired)
    world.lock(idp_user_id, for_good=True)
    assert diff(desired, look(world, idp_user_id)).changes == ()
    world.accounts.apply(idp_user_id, Enable())
    observed = look(world, idp_user_id)
    assert observed.enabled
    assert not observed.lock.permanent


@pytest.mark.supports("A8", "C3")
def test_a_change_of_details_lifts_no_lockout(world: World, policy: Policy) -> None:
    """Keycloak keeps the lockout in an attribute, and writing attributes replaces all of them
    (fact: lockouts-stand-in-an-attribute)."""
    desired = wanted(policy)
    idp_user_id = created(world, desired)
    world.lock(idp_user_id, for_good=True)
    renamed = replace(desired, family_name="Nowak")
    assert carry_out(world, idp_user_id, renamed) != ()
    observed = look(world, idp_user_id)
    assert observed.lock.permanent
    assert diff(renamed, observed).changes == ()


@pytest.mark.parametrize("how", ["mapped", "group", "composite"])
def test_administrators_of_the_realm_are_recognised(world: World, policy: Policy, how: str) -> None:
    """A role of realm-management counts however the user came to it."""
    idp_user_id = created(world, wanted(policy))
    if how == "mapped":
        world.map_role(idp_user_id, "realm-management/view-users")
        assert look(world, idp_user_id).administers_realm
    elif how == "composite":
        with world.inside(vocabulary.profile_role("technician"), "realm-management/view-users"):
            assert look(world, idp_user_id).administers_realm
    else:
        with world.carrying(vocabulary.BRANCHES, "realm-management/view-users"):
            assert look(world, idp_user_id).administers_realm


@pytest.mark.supports("F4", "H1")
def test_many_are_seen_as_each_alone(world: World, policy: Policy) -> None:
    """A mass change decides on the same as a single one: an enabled user, a disabled one, one of somebody else's
    groups; and a user that is not there is absent."""
    usual = created(world, wanted(policy))
    inactive = created(world, wanted(policy, life=Life.INACTIVE))
    stranger = world.stranger(f"some.body{next(numbers)}", f"some.body{next(numbers)}@example.com")
    absent = str(uuid.uuid4())
    asked = [usual, inactive, stranger, absent]
    seen = world.accounts.observe_many(asked)
    alone = {each: world.accounts.observe(each, sessions=False) for each in asked}
    plain = alone[usual]
    assert plain is not None
    assert seen == alone | {usual: replace(plain, lock=NOT_LOOKED_AT)}
    assert seen[absent] is None
    assert world.accounts.observe_many([]) == {}


@pytest.mark.parametrize("how", ["mapped", "group", "composite", "default"])
def test_administrators_of_the_realm_are_recognised_among_many(world: World, policy: Policy, how: str) -> None:
    """However the user came to a role of realm-management, it counts in a mass change too."""
    idp_user_id, other = created(world, wanted(policy)), created(world, wanted(policy))

    def administers() -> bool:
        world.later()
        seen = world.accounts.observe_many([idp_user_id, other])[idp_user_id]
        return seen is not None and seen.administers_realm

    assert not administers()
    role = "realm-management/view-users"
    if how == "mapped":
        world.map_role(idp_user_id, role)
        assert administers()
    elif how == "composite":
        with world.inside(vocabulary.profile_role("technician"), role):
            assert administers()
    elif how == "group":
        with world.carrying(vocabulary.BRANCHES, role):
            assert administers()
    else:
        [default] = look(world, idp_user_id).roles
        with world.inside(default, role):
            assert administers()
