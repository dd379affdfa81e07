"""What every implementation of the port `Accounts` promises of a user it creates, or refuses to."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from mappings.policy import Policy
from sync.domain.accounts.account import Life
from sync.domain.errors import (
    Conflict,
    Failure,
    FailureCode,
    Misconfigured,
    NameHeld,
    NeedsPerson,
    Transient,
    Unsafe,
)
from sync.domain.provisioning.plan import diff
from sync.ports.accounts import Created, NewUser
from sync.ports.lease import kept
from tests.contract.accounts.conftest import (
    OTHER_BRANCH,
    PASSWORD,
    carry_out,
    create,
    created,
    look,
    numbers,
    wanted,
)
from tests.contract.worlds import World


@pytest.mark.supports("B1", "A4")
def test_a_created_user_is_as_wanted(world: World, policy: Policy) -> None:
    """Names, groups and attributes are all there after create, and the plan against it is empty."""
    desired = wanted(policy)
    idp_user_id = created(world, desired)
    observed = look(world, idp_user_id)
    assert diff(desired, observed).changes == ()
    assert observed.account_id == desired.account_id
    assert observed.technician_id == "T-007"
    assert observed.groups == desired.groups
    assert observed.enabled
    assert not world.email_is_verified(idp_user_id)
    assert not observed.administers_realm


@pytest.mark.supports("I7")
def test_somebody_new_begins_with_a_language_and_keeps_it(world: World, policy: Policy) -> None:
    """It is no part of what is wanted: nothing compares it, and a change of something else leaves it."""
    desired = wanted(policy)
    [outcome] = world.accounts.create([NewUser(desired, PASSWORD, "de")]).values()
    assert isinstance(outcome, Created), outcome
    observed = look(world, outcome.idp_user_id)
    assert observed.attributes["locale"] == ("de",)
    assert diff(desired, observed).changes == ()
    moved = replace(desired, attributes={**desired.attributes, "technician_id": ("T-008",)})
    assert carry_out(world, outcome.idp_user_id, moved)
    assert look(world, outcome.idp_user_id).attributes["locale"] == ("de",)
    assert "locale" not in look(world, created(world, wanted(policy))).attributes


@pytest.mark.supports("H1")
def test_nobody_is_created_once_the_lease_is_lost(world: World, policy: Policy) -> None:
    """It is asked for before each request; whoever was not sent by then gets its failure and is not there."""
    lost = Transient("the lease was lost", code=FailureCode.LEASE_LOST)
    people = [wanted(policy) for _ in range(35)]

    def keep() -> None:
        if any(world.holders(each.username) for each in people):
            raise lost

    with kept(keep):
        outcomes = world.accounts.create([NewUser(each, PASSWORD) for each in people])
    made = [each for each in people if isinstance(outcomes[each.account_id], Created)]
    others = [each for each in people if outcomes[each.account_id] is lost]
    assert made
    assert len(made) + len(others) == len(people)
    assert len(made) <= 20, "two requests at once, which create ten each"
    assert not any(world.holders(each.username) for each in others)


@pytest.mark.supports("B1")
def test_the_temporary_password_works_and_must_be_changed(world: World, policy: Policy) -> None:
    """The generated password is the right one, and Keycloak will ask for a new one."""
    idp_user_id = created(world, wanted(policy))
    assert look(world, idp_user_id).required_actions == {"UPDATE_PASSWORD"}
    assert world.password_is(idp_user_id, PASSWORD)
    assert not world.password_is(idp_user_id, PASSWORD.upper())


def test_a_created_user_has_the_default_role(world: World, policy: Policy) -> None:
    """Without the default role of the realm a user could not even open the own account page."""
    [role] = look(world, created(world, wanted(policy))).roles
    assert role.startswith("default-roles-")


def test_an_account_wanted_inactive_is_created_switched_off(world: World, policy: Policy) -> None:
    """Nobody gets in between the creation and a later look."""
    assert not look(world, created(world, wanted(policy, life=Life.INACTIVE))).enabled


@pytest.mark.supports("H1")
def test_creating_again_finds_the_first_user(world: World, policy: Policy) -> None:
    """A repetition after a crash answers the same user and makes no second one."""
    desired = wanted(policy)
    [first], [second] = create(world, desired), create(world, desired)
    assert isinstance(first, Created)
    assert second == replace(first, existed=True)
    assert not first.existed


@pytest.mark.supports("H1")
def test_creating_again_after_a_rename_finds_the_first_user(world: World, policy: Policy) -> None:
    """The account id says whose user it is, whatever its names are by now."""
    desired = wanted(policy)
    first = created(world, desired)
    renamed = replace(wanted(policy), account_id=desired.account_id, attributes=desired.attributes)
    assert create(world, renamed) == [Created(first, existed=True)]


@pytest.mark.supports("G4")
def test_a_conflict_says_whose_mark_the_holder_carries(world: World, policy: Policy) -> None:
    """By it our database tells whether it has that account; a stranger carries none."""
    first, second = wanted(policy), wanted(policy)
    created(world, first)
    name = f"stranger.{uuid.uuid4().hex[:6]}@example.com"
    world.stranger(name, name)
    for held, marks in ((first.email, {first.account_id}), (name, set())):
        [outcome] = create(world, replace(second, username=held, email=held))
        assert isinstance(outcome, NameHeld)
        assert outcome.marks == marks


@pytest.mark.supports("A2")
@pytest.mark.parametrize("name", ["username", "email"])
@pytest.mark.parametrize("held_as", ["username", "email"])
def test_a_name_of_somebody_else_is_a_conflict(world: World, policy: Policy, name: str, held_as: str) -> None:
    """Usernames and e-mail addresses are one namespace; the conflict names the name and who has it."""
    address = f"taken.{next(numbers)}.{uuid.uuid4().hex[:6]}@example.com"
    other = f"other.{uuid.uuid4().hex[:6]}@example.com"
    names = {"username": other, "email": f"mail.{other}"} | {held_as: address}
    stranger = world.stranger(**names)
    desired, free = wanted(policy), wanted(policy)
    [outcome, landed] = create(world, replace(desired, **{name: address}), free)
    assert isinstance(outcome, Conflict)
    assert address in str(outcome)
    assert names["username"] in str(outcome)
    assert isinstance(landed, Created)
    assert look(world, stranger).groups == {"/elsewhere"}


@pytest.mark.supports("A2")
def test_a_name_of_another_account_is_a_conflict(world: World, policy: Policy) -> None:
    """Ignoring case, and also when both are created in one call."""
    first, second = wanted(policy), wanted(policy)
    clash = replace(second, email=first.email.upper())
    [one, two] = create(world, first, clash)
    assert isinstance(one, Created)
    assert isinstance(two, Conflict)
    assert first.email in str(two).lower()


@pytest.mark.parametrize("names", [{"username": "bad name!<>"}, {"email": "not-an-email"}, {"username": "ab"}])
def test_a_name_keycloak_would_refuse_is_for_a_person(world: World, policy: Policy, names: dict[str, str]) -> None:
    """Its bulk import would take any name (fact: importing-judges-no-names); the others of the call land."""
    bad, good = replace(wanted(policy), **names), wanted(policy)
    [refused, landed] = create(world, bad, good)
    assert isinstance(refused, NeedsPerson)
    assert next(iter(names.values())) in str(refused)
    assert isinstance(landed, Created)


def test_a_missing_group_fails_only_those_who_belong_to_it(world: World, policy: Policy) -> None:
    """The failure names the group; nobody is created half."""
    world.later()
    lost, good = wanted(policy, branch="berlin", team=None), wanted(policy)
    with world.without_group(OTHER_BRANCH):
        [refused, landed] = create(world, lost, good)
        assert isinstance(refused, Misconfigured)
        assert OTHER_BRANCH in str(refused)
        assert isinstance(landed, Created)
    world.later()
    assert isinstance(create(world, lost)[0], Created)


@pytest.mark.parametrize("path", ["/elsewhere", "/fsm/unknown", "/fsm/profiles", "/fsm"])
def test_nobody_is_created_in_a_group_no_mapping_knows(world: World, policy: Policy, path: str) -> None:
    """Neither outside our root nor in a group whose roles nobody compares."""
    desired = wanted(policy)
    [outcome] = create(world, replace(desired, groups=desired.groups | {path}))
    assert isinstance(outcome, Unsafe)
    assert path in str(outcome)


@pytest.mark.supports("F4", "F5")
def test_bad_rows_among_many_stop_nobody(world: World, policy: Policy) -> None:
    """Fifty users with three bad ones in different places: the others are all there, each once."""
    users = [wanted(policy) for _ in range(50)]
    taken = f"stranger.{uuid.uuid4().hex[:6]}@example.com"
    world.stranger(taken, f"x{taken}")
    users[3] = replace(users[3], username="no good!")
    users[24] = replace(users[24], email=taken)
    users[44] = replace(users[44], username=users[2].username)
    outcomes = create(world, *users)
    bad = {index for index, outcome in enumerate(outcomes) if isinstance(outcome, Failure)}
    assert bad == {3, 24, 44}
    assert isinstance(outcomes[3], NeedsPerson)
    assert isinstance(outcomes[24], Conflict)
    assert isinstance(outcomes[44], Conflict)
    ids = [outcome.idp_user_id for outcome in outcomes if isinstance(outcome, Created)]
    assert len(set(ids)) == 47
    assert diff(users[49], look(world, ids[-1])).changes == ()


def test_creating_nobody_answers_nothing(world: World) -> None:
    """An empty drain is no error."""
    assert world.accounts.create([]) == {}
