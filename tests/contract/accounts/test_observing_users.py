"""What every implementation of the port `Accounts` promises: the fake, and both gateways on a real Keycloak."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mappings import load
from mappings.policy import Policy
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.importing import ImportingAccounts
from sync.domain import vocabulary
from sync.domain.account import Account, Life
from sync.domain.change import (
    Change,
    Disable,
    Enable,
    EndSessions,
    JoinGroup,
    LeaveGroup,
    TakeRole,
    UpdateDetails,
)
from sync.domain.desired import DesiredState, desired_state
from sync.domain.errors import Conflict, Failure, Misconfigured, NeedsPerson, Transient, Unsafe
from sync.domain.observed import ACCOUNT_ID, TECHNICIAN_ID, Observed, Sessions
from sync.domain.plan import diff
from sync.ports.accounts import Created, NewUser
from tests.contract.realm_setup import FOREIGN_ATTRIBUTE, LOGIN_CLIENT, RealmAdmin, make_realm
from tests.contract.worlds import FakeWorld, KeycloakWorld, Seconds, World
from tests.fakes.accounts import FakeAccounts
from tests.services import KeycloakServer

PASSWORD = "abcd-efgh-jkmn-pqrs-tuvw-xyz2"
BRANCH = vocabulary.branch_group("hamburg")
OTHER_BRANCH = vocabulary.branch_group("berlin")
REALM_ROLE_OF_OURS = vocabulary.profile_role("manager")

numbers = itertools.count(1)


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The mapping files that ship."""
    return load(None)


@pytest.fixture(scope="module")
def realm(keycloak_server: KeycloakServer, realm_name: str, policy: Policy) -> RealmAdmin:
    """A real realm with our groups, roles and service clients."""
    return make_realm(keycloak_server, realm_name, policy)


@pytest.fixture(
    scope="module",
    params=[
        "fake",
        pytest.param("fsm-worker", marks=pytest.mark.keycloak),
        pytest.param("fsm-import", marks=pytest.mark.keycloak),
    ],
)
def world(request: pytest.FixtureRequest, policy: Policy) -> Iterator[World]:
    """Each implementation in turn, with what tests do to Keycloak beside it."""
    if request.param == "fake":
        yield FakeWorld(FakeAccounts(policy))
        return
    admin: RealmAdmin = request.getfixturevalue("realm")
    clock = Seconds()
    connection = Connection(admin.server.url, admin.name, request.param, admin.secrets[request.param])
    gateway = {"fsm-worker": KeycloakAccounts, "fsm-import": ImportingAccounts}[request.param]
    yield KeycloakWorld(gateway(connection, policy, now=clock), admin, clock)


def account(**fields: object) -> Account:
    """A technician in Hamburg whose names nobody else has."""
    name = f"tom.{next(numbers)}.{uuid.uuid4().hex[:6]}"
    made = Account(
        id=str(uuid.uuid4()),
        username=f"{name}@example.com",
        email=f"{name}@example.com",
        given_name="Tom",
        family_name="O'Neill",
        profile="technician",
        branch="hamburg",
        team="hamburg-heizung",
        data_access=None,
        technician_id="T-007",
        employee_number=None,
        life=Life.ACTIVE,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def wanted(policy: Policy, **fields: object) -> DesiredState:
    return desired_state(account(**fields), policy)


def create(world: World, *desired: DesiredState) -> list[Created | Failure]:
    outcomes = world.accounts.create([NewUser(each, PASSWORD) for each in desired])
    assert outcomes.keys() == {each.account_id for each in desired}
    return [outcomes[each.account_id] for each in desired]


def created(world: World, desired: DesiredState) -> str:
    [outcome] = create(world, desired)
    assert isinstance(outcome, Created), outcome
    return outcome.idp_user_id


def look(world: World, idp_user_id: str, *, sessions: bool = False) -> Observed:
    observed = world.accounts.observe(idp_user_id, sessions=sessions)
    assert observed is not None
    return observed


def carry_out(world: World, idp_user_id: str, desired: DesiredState) -> tuple[Change, ...]:
    changes = diff(desired, look(world, idp_user_id, sessions=True)).changes
    for change in changes:
        world.accounts.apply(idp_user_id, change)
    return changes


# creating


@pytest.mark.req("B1", "A4")
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
    assert not observed.email_verified
    assert not observed.administers_realm


@pytest.mark.req("H1")
def test_nobody_is_created_once_the_lease_is_lost(world: World, policy: Policy) -> None:
    """It is asked for before each request; whoever was not sent by then gets its failure and is not there."""
    lost, asked = Transient("the lease was lost"), itertools.count()
    people = [wanted(policy) for _ in range(25)]

    def keep() -> None:
        if next(asked):
            raise lost

    outcomes = world.accounts.create([NewUser(each, PASSWORD) for each in people], keep)
    made = [each for each in people if isinstance(outcomes[each.account_id], Created)]
    others = [each for each in people if outcomes[each.account_id] is lost]
    assert made
    assert len(made) + len(others) == len(people)
    assert len(made) <= 10, "a request creates ten at most"
    assert not any(world.accounts.find(username=each.username, email=each.email) for each in others)


@pytest.mark.req("B1")
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


@pytest.mark.req("H1")
def test_creating_again_finds_the_first_user(world: World, policy: Policy) -> None:
    """A repetition after a crash answers the same user and makes no second one."""
    desired = wanted(policy)
    [first], [second] = create(world, desired), create(world, desired)
    assert isinstance(first, Created)
    assert second == replace(first, existed=True)
    assert not first.existed


@pytest.mark.req("H1")
def test_creating_again_after_a_rename_finds_the_first_user(world: World, policy: Policy) -> None:
    """The account id says whose user it is, whatever its names are by now."""
    desired = wanted(policy)
    first = created(world, desired)
    renamed = replace(wanted(policy), account_id=desired.account_id, attributes=desired.attributes)
    assert create(world, renamed) == [Created(first, existed=True)]


@pytest.mark.req("A2")
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


@pytest.mark.req("A2")
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
    """Its bulk import would take any name (FACTS); the others of the call land."""
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


@pytest.mark.req("F4", "F5")
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


# looking


def test_a_user_that_does_not_exist_is_absent(world: World) -> None:
    """None is Keycloak's own answer."""
    assert world.accounts.observe(str(uuid.uuid4()), sessions=True) is None


@pytest.mark.req("D6")
def test_sessions_and_offline_tokens_are_seen_when_asked_for(world: World, policy: Policy) -> None:
    """A look with sessions counts the online ones and names the clients that hold offline tokens."""
    idp_user_id = created(world, wanted(policy))
    assert look(world, idp_user_id, sessions=True).sessions == Sessions()
    world.log_in(idp_user_id, offline=True)
    world.log_in(idp_user_id, offline=False)
    seen = look(world, idp_user_id, sessions=True).sessions
    assert seen is not None
    assert seen.online >= 1
    assert seen.offline_clients == {LOGIN_CLIENT}
    assert look(world, idp_user_id).sessions is None


@pytest.mark.req("A8")
def test_a_temporary_lockout_is_not_a_deactivation(world: World, policy: Policy) -> None:
    """The user stays enabled and is reported as locked for now."""
    idp_user_id = created(world, wanted(policy))
    world.lock(idp_user_id, for_good=False)
    observed = look(world, idp_user_id)
    assert observed.enabled
    assert observed.lock.temporary
    assert not observed.lock.permanent
    assert observed.lock.failures >= 2


@pytest.mark.req("A8")
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


@pytest.mark.req("C3")
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


@pytest.mark.req("A8", "C3")
def test_a_change_of_details_lifts_no_lockout(world: World, policy: Policy) -> None:
    """Keycloak keeps the lockout in an attribute, and writing attributes replaces all of them (FACTS)."""
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


@pytest.mark.req("F4", "H1")
def test_many_are_seen_as_each_alone(world: World, policy: Policy) -> None:
    """A mass change decides on the same as a single one: an enabled user, a disabled one, one of somebody else's
    groups; and a user that is not there is absent."""
    usual = created(world, wanted(policy))
    inactive = created(world, wanted(policy, life=Life.INACTIVE))
    stranger = world.stranger(f"some.body{next(numbers)}", f"some.body{next(numbers)}@example.com")
    absent = str(uuid.uuid4())
    asked = [usual, inactive, stranger, absent]
    seen = world.accounts.observe_many(asked)
    assert seen == {each: world.accounts.observe(each, sessions=False) for each in asked}
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


def test_find_knows_both_names_and_ignores_case(world: World) -> None:
    """A stranger is found by username and by e-mail address, once, and only by the whole name."""
    key = uuid.uuid4().hex[:8]
    stranger = world.stranger(f"kim.{key}", f"kim.mail.{key}@example.com")
    by_both = world.accounts.find(username=f"KIM.{key}", email=f"Kim.Mail.{key}@example.com")
    assert [found.idp_user_id for found in by_both] == [stranger]
    [by_email] = world.accounts.find(username=f"nobody.{key}", email=f"kim.mail.{key}@example.com")
    assert by_email.account_id is None
    assert by_email.groups == {"/elsewhere"}
    assert world.accounts.find(username=f"kim.{key[:-1]}", email=f"im.mail.{key}@example.com") == ()


def test_find_shows_that_two_users_hold_the_two_names(world: World) -> None:
    """Two candidates are two answers, never a choice."""
    key = uuid.uuid4().hex[:8]
    ids = {
        world.stranger(f"ann.{key}", f"a.{key}@example.com"),
        world.stranger(f"bob.{key}", f"b.{key}@example.com"),
    }
    found = world.accounts.find(username=f"ann.{key}", email=f"b.{key}@example.com")
    assert {each.idp_user_id for each in found} == ids


# changing


@pytest.mark.req("D6", "H1")
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


@pytest.mark.req("D6")
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


@pytest.mark.req("D6")
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


@pytest.mark.req("C9")
def test_a_new_email_address_is_not_verified_and_an_old_one_stays_so(world: World, policy: Policy) -> None:
    """Keycloak alone would keep the mark of the old address on the new one (FACTS)."""
    desired = wanted(policy)
    idp_user_id = created(world, desired)
    world.verify_email(idp_user_id)
    world.accounts.apply(idp_user_id, UpdateDetails({"email": desired.email}, {"email": desired.email}))
    assert look(world, idp_user_id).email_verified
    new = f"new.{desired.email}"
    world.accounts.apply(idp_user_id, UpdateDetails({"email": desired.email}, {"email": new}))
    observed = look(world, idp_user_id)
    assert observed.email == new
    assert not observed.email_verified


@pytest.mark.req("C9")
def test_an_administrator_changes_the_username(world: World, policy: Policy) -> None:
    """The user keeps its id and its account."""
    desired = wanted(policy)
    idp_user_id = created(world, desired)
    new = f"new.{desired.username}"
    world.accounts.apply(idp_user_id, UpdateDetails({"username": desired.username}, {"username": new}))
    observed = look(world, idp_user_id)
    assert (observed.username, observed.account_id) == (new, desired.account_id)


@pytest.mark.req("A2")
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


@pytest.mark.req("A4")
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


# limits

EVERY_CHANGE: list[Change] = [
    Disable(),
    Enable(),
    EndSessions("test"),
    TakeRole(REALM_ROLE_OF_OURS),
    LeaveGroup(BRANCH),
    JoinGroup(BRANCH),
    UpdateDetails({"given_name": "Some"}, {"given_name": "Other"}),
]


@pytest.mark.req("G4")
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


@pytest.mark.req("G4")
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


@pytest.mark.req("G4")
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
