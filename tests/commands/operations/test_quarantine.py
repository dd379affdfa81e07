"""What needs a person: shown once with its difference and its remedy, and tried again when it is mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.commands.accounts.change import change
from sync.commands.operations.quarantine import FEW, retry
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import Difference, Misconfigured, Refused, Transient
from sync.domain.work.lane import Lane
from sync.store.audit.timeline import read_timeline
from sync.store.operations import troubles
from sync.store.operations.troubles import Trouble
from sync.store.provisioning import work_state
from sync.store.provisioning.work_state import WorkState
from sync.views.operations.problems import problems
from sync.views.operations.quarantine import list_quarantine
from tests.fakes.accounts import FakeUser
from tests.world import BY, POLICY, World


def state(world: World, account: Account) -> WorkState:
    found = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert found is not None
    return found


def told(world: World) -> tuple[Trouble, ...]:
    return world.read(lambda tx: problems(tx, Scope.all(), world.clock.now()))


def strangers(world: World, *names: str) -> None:
    """Users that somebody made in Keycloak's console under names that we want."""
    for name in names:
        world.accounts.users[name] = FakeUser(name, f"{name}@example.com", f"{name}@example.com")


@pytest.mark.supports("H2", "H3")
def test_a_taken_name_is_kept_with_what_was_wanted(world: World) -> None:
    """Several of them are one entry; each account says what could not be made."""
    strangers(world, "pat.one", "pat.two")
    people = [world.join(name) for name in ("pat.one", "pat.two", "pat.three")]
    world.work()
    [group] = world.read(lambda tx: list_quarantine(tx, Scope.all()))
    assert (group.kind, group.code, group.count) == ("conflict", "name-taken", 2)
    assert {each.username for each in group.accounts} == {person.username for person in people[:2]}
    assert Difference("user", people[0].username, "nothing") in state(world, people[0]).differences
    [trouble] = told(world)
    assert "2 accounts wait in quarantine (conflict)" in trouble.what
    assert "ops retry" in trouble.remedy
    assert state(world, people[2]).applied


@pytest.mark.supports("H2", "H3")
def test_a_change_that_needs_a_person_says_what_is_left_undone(world: World) -> None:
    """The changes before it are made, the ones from it on are told."""
    account = world.join()
    world.work()
    world.accounts.groups["/fsm/profiles/technician"].add("realm-management/manage-users")
    move = AccountChange(profile="technician", employee_number="E-7")
    world.do(lambda tx: change(tx, POLICY, account.id, move, BY, world.clock.now()))
    world.work()
    found = state(world, account)
    assert found.quarantine is not None
    assert Difference("/fsm/profiles/technician", "member", "no member") in found.differences
    assert Difference("/fsm/profiles/dispatcher", "no member", "member") in found.differences


@pytest.mark.supports("H2")
def test_a_user_deleted_there_is_shown_and_not_made_anew(world: World) -> None:
    """With what is missing."""
    account = world.join()
    world.work()
    world.accounts.users.clear()
    rename = AccountChange(given_name="Joanna")
    world.do(lambda tx: change(tx, POLICY, account.id, rename, BY, world.clock.now()))
    world.work()
    assert world.accounts.users == {}
    assert state(world, account).differences[0] == Difference("user", account.username, "nothing")


@pytest.mark.supports("H2", "H3", "G1")
def test_accounts_are_tried_again_one_or_many(world: World) -> None:
    """By name, by reason, or all; who did it and why stands in their history; what is still wrong comes back."""
    strangers(world, "pat.one", "pat.two", "pat.three")
    people = [world.join(name) for name in ("pat.one", "pat.two", "pat.three")]
    world.work()
    del world.accounts.users["pat.one"]
    only = world.do(lambda tx: retry(tx, None, BY, world.clock.now(), account_ids=[people[0].id]))
    assert only == 1
    world.work()
    assert state(world, people[0]).applied
    [entry] = [
        each for each in world.read(lambda tx: read_timeline(tx, people[0].id)) if each.title == "try again"
    ]
    assert (entry.actor, entry.reason) == (BY.name, BY.reason)
    [group] = world.read(lambda tx: list_quarantine(tx, Scope.all()))
    assert world.do(lambda tx: retry(tx, None, BY, world.clock.now(), kind="unsafe")) == 0
    assert world.do(lambda tx: retry(tx, None, BY, world.clock.now(), kind="conflict", code=group.code)) == 2
    world.work()
    assert world.read(lambda tx: list_quarantine(tx, Scope.all()))[0].count == 2
    del world.accounts.users["pat.two"]
    del world.accounts.users["pat.three"]
    assert world.do(lambda tx: retry(tx, None, BY, world.clock.now())) == 2
    world.work()
    assert told(world) == ()


@pytest.mark.supports("H3")
def test_many_are_tried_again_behind_single_changes(world: World) -> None:
    """In the bulk lane."""
    names = [f"pat.p{number}" for number in range(FEW + 1)]
    strangers(world, *names)
    for name in names:
        world.join(name)
    world.work()
    world.accounts.users.clear()
    assert world.do(lambda tx: retry(tx, None, BY, world.clock.now())) == FEW + 1
    world.work()
    assert world.accounts.users == {}
    world.work(Lane.BULK)
    assert len(world.accounts.users) == FEW + 1


@pytest.mark.supports("H2", "H3")
def test_a_missing_group_is_told_once_and_mends_itself(world: World) -> None:
    """Its accounts wait and say for what, others go on, and no person has to try them again."""
    roles = world.accounts.groups.pop("/fsm/profiles/dispatcher")
    waiting = [world.join(f"pat.p{number}") for number in range(4)]
    other = world.join("rea.only", profile="read-only")
    world.work()
    assert state(world, other).applied
    [trouble] = told(world)
    assert "4 accounts wait" in trouble.what
    assert "no group /fsm/profiles/dispatcher" in trouble.what
    assert trouble.since == world.clock.now()
    since = trouble.since
    world.pass_time(600)
    world.work()
    assert told(world)[0].since == since
    world.accounts.groups["/fsm/profiles/dispatcher"] = roles
    world.pass_time(600)
    world.work()
    assert all(state(world, person).applied for person in waiting)
    assert told(world) == ()


@pytest.mark.supports("H2", "H3")
@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        (Transient("Keycloak at http://kc: not reachable", system="keycloak"), "see that it runs"),
        (Misconfigured("Keycloak has no realm 'fsm'", system="keycloak"), "mend what the message names"),
    ],
)
def test_an_open_circuit_is_one_problem_however_many_wait(
    world: World, failure: Transient | Misconfigured, remedy: str
) -> None:
    """With since when, the reason, when it is tried again, and what mends it."""
    for number in range(50):
        world.join(f"pat.p{number}")
    world.accounts.always_fails = failure
    for _ in range(30):
        world.work()
        world.pass_time(1)
    [trouble] = told(world)
    assert str(failure) in trouble.what
    assert "circuit open" in trouble.what
    assert remedy in trouble.remedy
    assert trouble.since is not None
    assert trouble.since < world.clock.now()


@pytest.mark.supports("H3")
def test_what_a_process_met_is_shown_while_it_lasts(world: World) -> None:
    """Since when it was met first, until somebody finds it well."""
    since = world.clock.now()
    world.do(lambda tx: troubles.note(tx, "redis", "Redis refuses writes", "free memory", since))
    world.pass_time(60)
    world.do(lambda tx: troubles.note(tx, "redis", "Redis refuses writes", "free memory", world.clock.now()))
    assert told(world) == (Trouble("Redis refuses writes", since, "free memory"),)
    assert world.do(lambda tx: troubles.clear(tx, "redis"))
    assert told(world) == ()
    assert not world.do(lambda tx: troubles.clear(tx, "redis"))


@pytest.mark.supports("A7", "H2")
def test_nobody_is_tried_again_without_a_reason(world: World) -> None:
    """Whatever is in quarantine stays."""
    with pytest.raises(Refused, match="reason: is missing"):
        world.do(lambda tx: retry(tx, None, replace(BY, reason=""), world.clock.now()))
