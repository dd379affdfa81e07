"""What becomes of a finding, by the file or by a person: accepted, repaired, made anew (G4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from mappings.guard import Limit
from sync.commands.accounts.change import change
from sync.commands.deactivation.deactivate import deactivate, reactivate
from sync.commands.drift.decide import accept, repair
from sync.commands.run_kinds import approve
from sync.domain.access import vocabulary
from sync.domain.access.callers import key_of
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import Refused
from sync.domain.provisioning.aspect import Aspect
from sync.domain.work.lane import Lane
from sync.jobs.drift.accept_by_file import accept_by_file
from sync.store.accounts import accounts
from sync.store.audit.timeline import read_timeline
from sync.store.database.tables import audit, mail
from sync.store.operations import figures
from sync.store.provisioning import due, work_state
from sync.store.provisioning.work_state import WorkState
from sync.store.runs import runs
from sync.views.drift import find_finding
from sync.views.operations.troubles import of_figures
from tests.comparing import compare, compare_attributes, judge, under_lease
from tests.fakes.accounts import FakeUser
from tests.jobs.drift.drift_steps import OTHER_BRANCH, bulk, findings, later, reacting
from tests.world import BRANCH, BY, POLICY, World


def state_of(world: World, account: Account) -> WorkState:
    found = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert found is not None
    return found


def mails_to(world: World, account: Account) -> int:
    count = select(func.count()).select_from(mail).where(mail.c.account_id == account.id)
    with world.systems.db.read() as tx:
        return int(tx.connection.scalar(count) or 0)


def audited(world: World) -> list[tuple[str, str, str]]:
    """What was done about repairs as a whole: the action, the run, who."""
    entries = select(audit.c.action, audit.c.correlation_id, audit.c.actor).where(
        audit.c.account_id.is_(None), audit.c.action.contains(" repair ")
    )
    with world.systems.db.read() as tx:
        return [tuple(row) for row in tx.connection.execute(entries.order_by(audit.c.id))]


@pytest.mark.supports("G4", "H2")
def test_a_deleted_user_is_reported_and_made_anew_by_a_persons_word(world: World, people: list[Account]) -> None:
    """Nobody is made anew by himself; on a decision the user comes back with a mail, and the finding ends."""
    del world.accounts.users[world.user(people[0]).id]
    compare(world.systems)
    [finding] = findings(world)
    assert (finding.attribute, finding.reaction) == (Aspect.MISSING, "report")
    bulk(world)
    assert len(world.accounts.users) == 2
    repair(world.systems, finding.id, BY)
    world.work()
    assert world.user(people[0]).required_actions == {"UPDATE_PASSWORD"}
    later(world)
    compare(world.systems)
    assert [each.state for each in findings(world, "open", "repaired", "gone")] == ["repaired"]
    story = world.read(lambda tx: read_timeline(tx, people[0].id))
    [anew] = [entry for entry in story if entry.title == "make anew in Keycloak"]
    assert (anew.caller, anew.door, anew.reason) == (key_of(BY.caller), "command line, drift", BY.reason)


@pytest.mark.supports("G4")
def test_the_file_may_have_missing_users_made_anew(world: World, people: list[Account]) -> None:
    """Where drift.toml says repair, active accounts get a new user; one that is wanted inactive does not."""
    world.do(lambda tx: deactivate(tx, POLICY, people[1].id, GatePolicy.HOLD, BY, world.clock.now()))
    world.work()
    world.pass_time(3600)
    world.work()
    reacting(world, missing="repair")
    for account in people[:2]:
        del world.accounts.users[world.user(account).id]
    compare(world.systems)
    bulk(world)
    assert world.user(people[0]).enabled
    assert {each.account_id for each in world.accounts.users.values()} == {people[0].id, people[2].id}


@pytest.mark.supports("G4")
def test_a_user_that_is_there_is_not_made_anew(world: World, people: list[Account]) -> None:
    """The decision came late: Keycloak has the user again when the worker looks, so nothing is made, no password
    is mailed, and the finding ends."""
    kept = world.accounts.users.pop(world.user(people[0]).id)
    compare(world.systems)
    [finding] = findings(world)
    repair(world.systems, finding.id, BY)
    world.accounts.users[kept.id] = kept
    mails = mails_to(world, people[0])
    world.work()
    assert world.user(people[0]).id == kept.id
    assert mails_to(world, people[0]) == mails
    assert [each.state for each in findings(world, "open", "gone", "repaired")] == ["gone"]


@pytest.mark.supports("G4", "E7")
def test_nobody_is_made_anew_while_the_run_waits_for_an_approval(world: World) -> None:
    """Many users were deleted: the file says repair, the guard holds the run; a look for another reason makes none
    of them anew. Once a person has approved it, the workers do."""
    made = [world.join(f"person.n{number}") for number in range(60)]
    world.work()
    reacting(world, missing="repair")
    limits = {**world.systems.policy.guard.limits, "created": Limit(2, None, 1)}
    guard = replace(world.systems.policy.guard, limits=limits)
    world.systems = replace(world.systems, policy=replace(world.systems.policy, guard=guard))
    for account in made[:5]:
        del world.accounts.users[world.user(account).id]
    compare(world.systems)
    [run] = world.read(lambda tx: runs.recent(tx, 10, "repair", "held"))
    world.do(lambda tx: due.look_again(tx, made[0].id, Lane.INTERACTIVE, world.clock.now()))
    world.work()
    bulk(world)
    assert len(world.accounts.users) == 55
    approve(world.systems, run.id, BY, run.fingerprint)
    bulk(world)
    assert len(world.accounts.users) == 60


@pytest.mark.supports("G4")
def test_what_a_person_accepted_the_workers_leave_alone(world: World, people: list[Account]) -> None:
    """Ann was switched off in an emergency, which was accepted. She is moved, and stays off; once somebody
    switches her on, it is over: switched off again, she is told again."""
    ann = people[0]
    world.user(ann).enabled = False
    compare(world.systems)
    accept(world.systems, findings(world)[0].id, BY)
    moved = AccountChange(branch=OTHER_BRANCH)
    world.do(lambda tx: change(tx, POLICY, ann.id, moved, BY, world.clock.now()))
    world.work()
    assert vocabulary.branch_group(OTHER_BRANCH) in world.user(ann).groups
    assert not world.user(ann).enabled
    assert [each.state for each in findings(world)] == ["accepted"]
    world.user(ann).enabled = True
    world.do(lambda tx: change(tx, POLICY, ann.id, AccountChange(branch=BRANCH.key), BY, world.clock.now()))
    world.work()
    assert findings(world) == []
    world.user(ann).enabled = False
    later(world)
    compare(world.systems)
    assert [each.state for each in findings(world)] == ["open"]


@pytest.mark.supports("G4", "D5")
@pytest.mark.parametrize("looked_between", [True, False])
def test_who_is_deactivated_and_wanted_back_is_switched_on(
    world: World, people: list[Account], *, looked_between: bool
) -> None:
    """What was accepted was the state of then: whoever wants the account active again wants it switched on,
    whether or not a worker came by in between."""
    ann = people[0]
    world.user(ann).enabled = False
    compare(world.systems)
    accept(world.systems, findings(world)[0].id, BY)
    world.do(lambda tx: deactivate(tx, POLICY, ann.id, GatePolicy.FORCE, BY, world.clock.now()))
    if looked_between:
        world.work()
    world.do(lambda tx: reactivate(tx, POLICY, ann.id, BY, world.clock.now()))
    world.work()
    assert world.user(ann).enabled
    assert findings(world) == []


@pytest.mark.supports("G4", "D7", "H2")
def test_who_is_wanted_back_without_a_user_waits_for_a_person(world: World, people: list[Account]) -> None:
    """The user was deleted, which was accepted; wanted active again, the account cannot be, and says so."""
    ann = people[0]
    del world.accounts.users[world.user(ann).id]
    compare(world.systems)
    accept(world.systems, findings(world)[0].id, BY)
    world.do(lambda tx: deactivate(tx, POLICY, ann.id, GatePolicy.FORCE, BY, world.clock.now()))
    world.work()
    assert state_of(world, ann).quarantine is None
    world.do(lambda tx: reactivate(tx, POLICY, ann.id, BY, world.clock.now()))
    world.work()
    assert state_of(world, ann).quarantine is not None
    later(world)
    compare(world.systems)
    assert [(each.attribute, each.state) for each in findings(world)] == [(Aspect.MISSING, "open")]


@pytest.mark.supports("G4", "H2")
def test_a_missing_user_that_was_accepted_waits_for_nobody(world: World, people: list[Account]) -> None:
    """Its account leaves quarantine, and a change of it does not bring it there again, nor a user back."""
    ann = people[0]
    del world.accounts.users[world.user(ann).id]
    married = AccountChange(family_name="Ahrens")
    world.do(lambda tx: change(tx, POLICY, ann.id, married, BY, world.clock.now()))
    world.work()
    compare(world.systems)
    [finding] = findings(world)
    assert state_of(world, ann).quarantine is not None
    accept(world.systems, finding.id, BY)
    bulk(world)
    moved = AccountChange(branch=OTHER_BRANCH)
    world.do(lambda tx: change(tx, POLICY, ann.id, moved, BY, world.clock.now()))
    world.work()
    assert (state_of(world, ann).quarantine, state_of(world, ann).applied) == (None, True)
    assert len(world.accounts.users) == 2


@pytest.mark.supports("G4")
def test_a_repair_goes_on_where_a_switched_off_user_was_accepted(world: World, people: list[Account]) -> None:
    """She was stopped and renamed: stopped she stays, the name is put right."""
    user = world.user(people[0])
    user.enabled, user.family_name = False, "Suspended"
    compare(world.systems)
    [off] = [each for each in findings(world) if each.attribute is Aspect.SWITCHED_OFF]
    accept(world.systems, off.id, BY)
    later(world)
    compare(world.systems)
    bulk(world)
    assert (user.family_name, user.enabled) == (people[0].family_name, False)


@pytest.mark.supports("G4")
def test_accepting_by_the_file_changes_what_is_wanted(world: World, people: list[Account]) -> None:
    """Where people keep their own names: the account follows, with an entry in its history, and stays so."""
    reacting(world, family_name="accept")
    world.user(people[0]).family_name = "Arnold"
    compare(world.systems)
    bulk(world)
    kept = world.read(lambda tx: accounts.get(tx, people[0].id))
    assert kept is not None
    assert (kept.family_name, world.user(people[0]).family_name) == ("Arnold", "Arnold")
    later(world)
    compare(world.systems)
    assert [each.state for each in findings(world, "open", "accepted", "gone", "repaired")] == ["gone"]


@pytest.mark.supports("A2", "G4")
def test_a_name_that_is_only_spelled_otherwise_is_put_right(world: World, people: list[Account]) -> None:
    """There is nothing to accept of two blanks between words, and it is not found for ever."""
    reacting(world, family_name="accept")
    world.user(people[0]).family_name = f" {people[0].family_name}"
    compare(world.systems)
    with pytest.raises(Refused, match="is wanted already, in another spelling"):
        accept(world.systems, findings(world)[0].id, BY)
    bulk(world)
    assert world.user(people[0]).family_name == people[0].family_name
    later(world)
    compare(world.systems)
    assert findings(world) == []


@pytest.mark.supports("G4", "E7")
def test_a_mass_is_not_accepted_by_the_file(world: World, people: list[Account]) -> None:
    """Somebody renames everybody in Keycloak: nothing is wanted so before a person has decided, each finding says
    why, and status tells of them. Two of three pass."""
    reacting(world, family_name="accept")
    limits = {**world.systems.policy.guard.limits, "changed": Limit(2, None, 1)}
    policy = replace(world.systems.policy, guard=replace(world.systems.policy.guard, limits=limits))
    world.systems = replace(world.systems, policy=policy)
    for each in people:
        world.user(each).family_name = "Arnold"
    compare(world.systems)
    found = findings(world)
    assert [each.state for each in found] == ["open"] * 3
    reasons = {each.decision.reason for each in found if each.decision}
    assert reasons == {"not accepted by itself: 3 accounts would be changed: more than 2"}
    world.pass_time(3600)
    now = world.read(lambda tx: figures.read(tx, world.clock.now()))
    assert any("3 findings in Keycloak wait for a decision" in each.what for each in of_figures(now))

    world.user(people[0]).family_name = people[0].family_name
    compare(world.systems)
    bulk(world)
    kept = [world.read(lambda tx, each=each: accounts.get(tx, each.id)) for each in people]  # type: ignore[misc]
    assert [each.family_name for each in kept if each] == [people[0].family_name, "Arnold", "Arnold"]


@pytest.mark.supports("G4", "H1")
def test_the_file_accepts_nothing_over_a_later_change(world: World, people: list[Account]) -> None:
    """A person changed the account between the look and the end of the comparison: that is wanted."""
    reacting(world, family_name="accept")
    world.user(people[0]).family_name = "Arnold"
    judged = judge(world.systems, [people[0].id])
    married = AccountChange(family_name="Ahrens")
    world.do(lambda tx: change(tx, POLICY, people[0].id, married, BY, world.clock.now()))
    under_lease(world.systems, "comparison", lambda desk, keep: accept_by_file(desk, judged.to_accept, keep))
    kept = world.read(lambda tx: accounts.get(tx, people[0].id))
    assert kept is not None
    assert kept.family_name == "Ahrens"


@pytest.mark.supports("G4")
def test_what_the_file_cannot_accept_is_logged_without_names(world: World, people: list[Account]) -> None:
    """The e-mail address of somebody else: the finding stays open, and the log says which, not what is in it."""
    reacting(world, email="accept")
    world.user(people[0]).email = people[1].email
    with capture_logs() as logged:
        compare(world.systems)
    [finding] = findings(world)
    assert finding.state == "open"
    [line] = [each for each in logged if each["event"] == "drift cannot be accepted"]
    assert (line["account"], line["finding"], line["attribute"]) == (people[0].id, finding.id, "email")
    personal = (people[0].username, people[0].email, people[1].username, people[1].email)
    assert not any(text in str(logged) for text in personal)


@pytest.mark.supports("G4")
def test_a_person_accepts_another_branch(world: World, people: list[Account]) -> None:
    """What was done in the console becomes what is wanted, through the rules of every change."""
    reacting(world, branch="report")
    user = world.user(people[0])
    user.groups ^= {vocabulary.branch_group(BRANCH.key), vocabulary.branch_group(OTHER_BRANCH)}
    compare(world.systems)
    [finding] = findings(world)
    accept(world.systems, find_finding(world.systems, Scope.all(), finding.id[-6:]).id, BY)
    bulk(world)
    kept = world.read(lambda tx: accounts.get(tx, people[0].id))
    assert kept is not None
    assert kept.branch == OTHER_BRANCH
    assert vocabulary.branch_group(OTHER_BRANCH) in user.groups


@pytest.mark.supports("G4")
def test_two_profiles_cannot_be_accepted(world: World, people: list[Account]) -> None:
    """An account has exactly one."""
    reacting(world, profile="report")
    world.user(people[0]).groups.add(vocabulary.profile_group("manager"))
    compare(world.systems)
    with pytest.raises(Refused, match="cannot be wanted"):
        accept(world.systems, findings(world)[0].id, BY)


@pytest.mark.supports("G4")
def test_what_a_person_accepted_is_quiet_until_it_changes(world: World, people: list[Account]) -> None:
    """Left alone while it stays so; otherwise it is open again."""
    world.accounts.users["x"] = FakeUser("x", "guest", "guest@elsewhere.example.com")
    world.accounts.users["x"].groups.add(vocabulary.profile_group("read-only"))
    compare(world.systems)
    accept(world.systems, findings(world)[0].id, BY)
    later(world)
    compare(world.systems)
    assert [each.state for each in findings(world)] == ["accepted"]
    world.accounts.users["x"].groups.add(vocabulary.profile_group("manager"))
    later(world)
    compare(world.systems)
    assert [each.state for each in findings(world)] == ["open"]


@pytest.mark.supports("E7", "G4")
def test_repairs_of_a_few_at_each_comparison_are_held_within_the_day(world: World) -> None:
    """A script in the console moves two people every two hours: what comparisons repair is counted together."""
    two = {**POLICY.guard.limits, "moved": Limit(2, None, 10)}
    world.systems = replace(world.systems, policy=replace(POLICY, guard=replace(POLICY.guard, limits=two)))
    made = [world.join(f"person.n{number}") for number in range(6)]
    world.work()
    for pair in (made[:2], made[2:4], made[4:]):
        for account in pair:
            world.user(account).groups ^= {
                vocabulary.branch_group(BRANCH.key),
                vocabulary.branch_group(OTHER_BRANCH),
            }
        compare(world.systems)
        bulk(world)
        world.pass_time(7_200)
    moved = [vocabulary.branch_group(OTHER_BRANCH) in world.user(account).groups for account in made]
    assert moved == [False] * 4 + [True] * 2
    [held] = world.read(lambda tx: runs.recent(tx, 10, "repair", "held"))
    assert held.held_reasons == ("6 accounts within a day would be moved to another branch or team: more than 4",)


@pytest.mark.supports("E7", "G4")
def test_a_mass_of_repairs_is_held(world: World) -> None:
    """Somebody moved a whole branch in the console: nothing is repaired before a person approves that run, and
    the next comparison takes its place."""
    made = [world.join(f"person.n{number}") for number in range(60)]
    world.work()
    paths = {vocabulary.branch_group(BRANCH.key), vocabulary.branch_group(OTHER_BRANCH)}
    for account in made:
        world.user(account).groups ^= paths
    compare(world.systems)
    bulk(world)
    [first] = world.read(lambda tx: runs.recent(tx, 10, "repair"))
    assert first.state == "held"
    assert first.held_reasons
    assert "moved" in first.held_reasons[0]
    assert vocabulary.branch_group(OTHER_BRANCH) in world.user(made[0]).groups
    later(world)
    compare(world.systems)
    second, before = world.read(lambda tx: runs.recent(tx, 10, "repair"))
    assert (before.id, before.state, second.state) == (first.id, "cancelled", "held")
    approve(world.systems, second.id, BY, second.fingerprint)
    assert audited(world) == [
        ("hold repair of comparison", first.id, "drift.toml"),
        ("cancel repair of comparison", first.id, "drift.toml"),
        ("hold repair of comparison", second.id, "drift.toml"),
        ("approve repair of comparison", second.id, BY.name),
    ]
    bulk(world)
    assert all(vocabulary.branch_group(BRANCH.key) in world.user(each).groups for each in made)
    later(world)
    assert compare(world.systems).counts.differing == 0


@pytest.mark.supports("G4")
def test_a_repair_of_something_else_does_not_open_who_was_switched_off(
    world: World, people: list[Account]
) -> None:
    """Somebody stopped an account in an emergency and renamed it as well: both are told, none is mended."""
    user = world.user(people[0])
    user.enabled, user.family_name = False, "Suspended"
    compare(world.systems)
    bulk(world)
    assert not world.user(people[0]).enabled
    assert {each.attribute for each in findings(world)} == {Aspect.SWITCHED_OFF, Aspect.FAMILY_NAME}


@pytest.mark.supports("E7", "G4")
def test_the_attribute_pass_leaves_a_held_run_of_the_comparison(world: World) -> None:
    """It looks at other attributes, so it says nothing about what waits for an approval."""
    made = [world.join(f"person.n{number}") for number in range(60)]
    world.work()
    for account in made:
        world.user(account).groups ^= {vocabulary.branch_group(BRANCH.key), vocabulary.branch_group(OTHER_BRANCH)}
    compare(world.systems)
    world.user(made[0]).attributes["technician_id"] = ("T-1",)
    later(world)
    compare_attributes(world.systems)
    assert [run.state for run in world.read(lambda tx: runs.recent(tx, 10, "repair"))] == ["held"]
