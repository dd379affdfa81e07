"""What every implementation of the port `Accounts` promises of a change, and on whom it makes none."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from mappings.policy import Policy
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Life
from sync.domain.errors import Conflict, Misconfigured, NeedsPerson, Unsafe
from sync.domain.provisioning.change import (
    Change,
    Disable,
    Enable,
    EndSessions,
    JoinGroup,
    LeaveGroup,
    TakeRole,
    UpdateDetails,
)
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.observed import ACCOUNT_ID, TECHNICIAN_ID, Sessions
from sync.domain.provisioning.plan import diff
from tests.contract.accounts.conftest import (
    BRANCH,
    OTHER_BRANCH,
    REALM_ROLE_OF_OURS,
    account,
    carry_out,
    created,
    look,
    wanted,
)
from tests.contract.realm_setup import FOREIGN_ATTRIBUTE
from tests.contract.worlds import World

EVERY_CHANGE: list[Change] = [
    Disable(),
    Enable(),
    EndSessions("test"),
    TakeRole(REALM_ROLE_OF_OURS),
    LeaveGroup(BRANCH),
    JoinGroup(BRANCH),
    UpdateDetails({"given_name": "Some"}, {"given_name": "Other"}),
]


@pytest.mark.supports("D6", "H1")
def test_a_plan_applied_leaves_nothing_to_do(world: World, policy: Policy) -> None:
    """Mover, leaver and returner: after each plan the next look has no difference, and groups are as wanted."""
    first = account()
    idp_user_id = created(world, desired_state(first, policy))
    mover = replace(
        first, profile="administrator", branch="berlin", team=None, technician_id=None, given_name="Tim"
    )
    leaver = replace(mover, life=Life.INACTIVE)
    for each in (mover, leaver, first):
        desired = desired_state(each, policy)
        assert carry_out(world, idp_user_id, desired)
        assert diff(desired, look(world, idp_user_id, sessions=True)).changes == ()


@pytest.mark.supports("D6")
def test_disabling_alone_changes_nothing_else(world: World, policy: Policy) -> None:
    """`enabled` travels alone: names, groups, attributes and required actions stay."""
    idp_user_id = created(world, wanted(policy))
    world.set_attribute(idp_user_id, FOREIGN_ATTRIBUTE, "44")
    before = look(world, idp_user_id)
    for _ in range(2):
        world.accounts.apply(idp_user_id, Disable())
        assert look(world, idp_user_id) == replace(before, enabled=False)
    for _ in range(2):
        world.accounts.apply(idp_user_id, Enable())
        assert look(world, idp_user_id) == before


@pytest.mark.supports("D6")
def test_disabling_revokes_no_token_but_ending_sessions_does(world: World, policy: Policy) -> None:
    """A token of before the deactivation stays dead after the account is enabled again."""
    idp_user_id = created(world, wanted(policy))
    offline, online = world.log_in(idp_user_id, offline=True), world.log_in(idp_user_id, offline=False)
    world.accounts.apply(idp_user_id, Disable())
    assert not world.refreshes(offline)
    world.accounts.apply(idp_user_id, Enable())
    assert world.refreshes(offline)
    world.accounts.apply(idp_user_id, Disable())
    for _ in range(2):
        world.accounts.apply(idp_user_id, EndSessions("wanted inactive"))
        assert look(world, idp_user_id, sessions=True).sessions == Sessions()
    world.accounts.apply(idp_user_id, Enable())
    assert not world.refreshes(offline)
    assert not world.refreshes(online)


def test_details_change_and_everything_else_stays(world: World, policy: Policy) -> None:
    """Keycloak replaces attributes as a whole and clears names left out: neither is lost."""
    idp_user_id = created(world, wanted(policy))
    world.set_attribute(idp_user_id, FOREIGN_ATTRIBUTE, "44")
    world.verify_email(idp_user_id)
    before = look(world, idp_user_id)
    world.accounts.apply(idp_user_id, UpdateDetails({TECHNICIAN_ID: "T-007"}, {TECHNICIAN_ID: "T-008"}))
    assert look(world, idp_user_id) == replace(before, attributes={**before.attributes, TECHNICIAN_ID: ("T-008",)})
    world.accounts.apply(idp_user_id, UpdateDetails({TECHNICIAN_ID: "T-008"}, {TECHNICIAN_ID: None}))
    assert look(world, idp_user_id) == replace(
        before, attributes={name: value for name, value in before.attributes.items() if name != TECHNICIAN_ID}
    )
    world.accounts.apply(idp_user_id, UpdateDetails({"family_name": "O'Neill"}, {"family_name": "Nowak"}))
    after = look(world, idp_user_id)
    assert (after.given_name, after.family_name, after.email) == ("Tom", "Nowak", before.email)
    assert after.attributes[FOREIGN_ATTRIBUTE] == ("44",)


@pytest.mark.supports("C9")
def test_a_new_email_address_is_not_verified_and_an_old_one_stays_so(world: World, policy: Policy) -> None:
    """Keycloak alone would keep the mark of the old address on the new one
    (fact: a-new-address-stays-verified)."""
    desired = wanted(policy)
    idp_user_id = created(world, desired)
    world.verify_email(idp_user_id)
    world.accounts.apply(idp_user_id, UpdateDetails({"email": desired.email}, {"email": desired.email}))
    assert world.email_is_verified(idp_user_id)
    new = f"new.{desired.email}"
    world.accounts.apply(idp_user_id, UpdateDetails({"email": desired.email}, {"email": new}))
    assert look(world, idp_user_id).email == new
    assert not world.email_is_verified(idp_user_id)


@pytest.mark.supports("C9")
def test_an_administrator_changes_the_username(world: World, policy: Policy) -> None:
    """The user keeps its id and its account."""
    desired = wanted(policy)
    idp_user_id = created(world, desired)
    new = f"new.{desired.username}"
    world.accounts.apply(idp_user_id, UpdateDetails({"username": desired.username}, {"username": new}))
    observed = look(world, idp_user_id)
    assert (observed.username, observed.account_id) == (new, desired.account_id)


@pytest.mark.supports("A2")
@pytest.mark.parametrize("name", ["username", "email"])
def test_a_taken_name_is_a_conflict_and_changes_nothing(world: World, policy: Policy, name: str) -> None:
    """The conflict names the name; no other part of the change is carried out."""
    holder, desired = wanted(policy), wanted(policy)
    created(world, holder)
    idp_user_id = created(world, desired)
    before = look(world, idp_user_id)
    new = {name: holder.username, "family_name": "Other"}
    with pytest.raises(Conflict, match=holder.username):
        world.accounts.apply(idp_user_id, UpdateDetails({name: "", "family_name": ""}, new))
    assert look(world, idp_user_id) == before


def test_the_account_id_is_never_changed(world: World, policy: Policy) -> None:
    """It decides whose the user is."""
    idp_user_id = created(world, wanted(policy))
    with pytest.raises(Unsafe):
        world.accounts.apply(idp_user_id, UpdateDetails({ACCOUNT_ID: "a"}, {ACCOUNT_ID: "b"}))


@pytest.mark.supports("A4")
def test_joining_and_leaving_twice_is_the_same_as_once(world: World, policy: Policy) -> None:
    """Memberships one by one, and nothing else moves."""
    idp_user_id = created(world, wanted(policy))
    before = look(world, idp_user_id)
    for _ in range(2):
        world.accounts.apply(idp_user_id, JoinGroup(OTHER_BRANCH))
    assert look(world, idp_user_id).groups == before.groups | {OTHER_BRANCH}
    for _ in range(2):
        world.accounts.apply(idp_user_id, LeaveGroup(OTHER_BRANCH))
    assert look(world, idp_user_id) == before


def test_a_group_made_anew_is_found_again(world: World, policy: Policy) -> None:
    """While it is missing joining says so; made again it has another id, and the first try works."""
    idp_user_id = created(world, wanted(policy))
    world.accounts.apply(idp_user_id, JoinGroup(OTHER_BRANCH))
    with world.without_group(OTHER_BRANCH):
        world.later()
        world.accounts.apply(idp_user_id, LeaveGroup(OTHER_BRANCH))
        with pytest.raises(Misconfigured, match=OTHER_BRANCH):
            world.accounts.apply(idp_user_id, JoinGroup(OTHER_BRANCH))
    world.accounts.apply(idp_user_id, JoinGroup(OTHER_BRANCH))
    with world.without_group(OTHER_BRANCH):
        pass
    world.accounts.apply(idp_user_id, JoinGroup(OTHER_BRANCH))
    assert OTHER_BRANCH in look(world, idp_user_id).groups


def test_a_role_of_ours_mapped_directly_is_taken(world: World, policy: Policy) -> None:
    """Roles come from groups only; a role that the user does not have is no error."""
    idp_user_id = created(world, wanted(policy))
    before = look(world, idp_user_id)
    world.map_role(idp_user_id, REALM_ROLE_OF_OURS)
    assert look(world, idp_user_id).roles == before.roles | {REALM_ROLE_OF_OURS}
    for _ in range(2):
        world.accounts.apply(idp_user_id, TakeRole(REALM_ROLE_OF_OURS))
    world.accounts.apply(idp_user_id, TakeRole("fsm-no-such-role"))
    assert look(world, idp_user_id) == before


@pytest.mark.supports("G4")
@pytest.mark.parametrize("change", EVERY_CHANGE, ids=str)
def test_nothing_is_written_to_a_user_that_is_not_ours(world: World, change: Change) -> None:
    """A stranger stays as it was, and so does a live session."""
    key = uuid.uuid4().hex[:8]
    stranger = world.stranger(f"zoe.{key}", f"zoe.{key}@example.com")
    token = world.log_in(stranger, offline=False)
    before = look(world, stranger)
    with pytest.raises(Unsafe):
        world.accounts.apply(stranger, change)
    assert look(world, stranger) == before
    assert world.refreshes(token)


@pytest.mark.parametrize("change", EVERY_CHANGE, ids=str)
def test_nothing_is_written_to_an_administrator_of_the_realm(world: World, policy: Policy, change: Change) -> None:
    """Even if it carries an account id of ours."""
    idp_user_id = created(world, wanted(policy))
    world.map_role(idp_user_id, "realm-management/manage-users")
    before = look(world, idp_user_id)
    with pytest.raises(Unsafe):
        world.accounts.apply(idp_user_id, change)
    assert look(world, idp_user_id) == before


@pytest.mark.parametrize("change", [JoinGroup("/elsewhere"), LeaveGroup("/elsewhere"), TakeRole("outside-role")])
def test_what_is_not_ours_is_neither_given_nor_taken(world: World, policy: Policy, change: Change) -> None:
    """Groups outside `/fsm` and roles without our prefix."""
    idp_user_id = created(world, wanted(policy))
    before = look(world, idp_user_id)
    with pytest.raises(Unsafe):
        world.accounts.apply(idp_user_id, change)
    assert look(world, idp_user_id) == before


@pytest.mark.parametrize("change", EVERY_CHANGE, ids=str)
def test_a_user_that_is_gone_is_for_a_person(world: World, policy: Policy, change: Change) -> None:
    """Whether the gateway saw it a moment ago or long ago."""
    idp_user_id = created(world, wanted(policy))
    look(world, idp_user_id)
    world.delete_user(idp_user_id)
    with pytest.raises(NeedsPerson, match=idp_user_id):
        world.accounts.apply(idp_user_id, change)
    world.later()
    with pytest.raises(NeedsPerson, match=idp_user_id):
        world.accounts.apply(idp_user_id, change)


def test_groups_as_the_policy_says_carry_nothing_too_much(world: World, policy: Policy) -> None:
    """Every group anybody can be put into, with its parents."""
    world.later()
    assert world.accounts.extra_roles(wanted(policy, profile="administrator").groups) == {}
    assert world.accounts.extra_roles(wanted(policy).groups) == {}


@pytest.mark.supports("G4")
@pytest.mark.parametrize("path", [BRANCH, vocabulary.profile_group("technician"), vocabulary.ROOT])
@pytest.mark.parametrize("role", ["outside-role", "realm-management/view-users"])
def test_a_role_too_many_is_found(world: World, path: str, role: str) -> None:
    """On the group itself or on one above it, whose roles its members get as well; gone when it is gone."""
    world.later()
    asked = {BRANCH, vocabulary.profile_group("technician")}
    with world.carrying(path, role):
        assert world.accounts.extra_roles(asked) == {path: frozenset({role})}
    world.later()
    assert world.accounts.extra_roles(asked) == {}


@pytest.mark.supports("G4")
@pytest.mark.parametrize("inner", ["outside-role", "realm-management/view-users"])
def test_a_role_hidden_inside_a_role_of_ours_is_found(world: World, inner: str) -> None:
    """The group's own mappings look as ever; the role was made composite."""
    path = vocabulary.profile_group("technician")
    world.later()
    with world.inside(vocabulary.profile_role("technician"), inner):
        assert world.accounts.extra_roles({path}) == {path: frozenset({inner})}
    world.later()


def test_roles_of_a_missing_group_are_a_configuration_error(world: World) -> None:
    """A group that cannot be looked at is never called clean."""
    world.later()
    with world.without_group(OTHER_BRANCH), pytest.raises(Misconfigured, match=OTHER_BRANCH):
        world.accounts.extra_roles({OTHER_BRANCH})
