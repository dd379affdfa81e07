"""A user of Keycloak that cannot be read: its own trouble, not that of everybody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.commands.accounts.change import change
from sync.commands.drift.decide import accept, repair
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.drift.anomaly import Anomaly
from sync.domain.errors import Misconfigured, Refused, Transient
from sync.domain.provisioning.aspect import Aspect
from sync.jobs.drift.admin_events import look_at_admin_events
from sync.jobs.schedule import run_jobs
from sync.jobs.work.job import Job
from sync.store.drift import findings
from sync.store.drift.findings import Finding
from sync.store.operations import figures
from sync.views.operations.troubles import of_figures
from tests.comparing import compare
from tests.fakes.accounts import FakeUser
from tests.world import BY, POLICY, World

pytestmark = pytest.mark.supports("G4", "H2")

SICK = Transient("Keycloak answered 500 to GET users/sick: unknown_error", system="keycloak")
NONSENSE = Misconfigured(
    "GET users/sick was answered with something that is not Keycloak's JSON", system="keycloak"
)


@pytest.fixture
def people(world: World, people: list[Account]) -> list[Account]:
    """Three accounts, as wanted in Keycloak but for the given name of each."""
    for account in people:
        world.user(account).given_name = "Somebody"
    return people


def live(world: World) -> list[Finding]:
    return list(world.read(lambda tx: findings.listed(tx, states=findings.LIVE)))


def told(world: World) -> set[tuple[str, str]]:
    return {(each.attribute, each.subject.who) for each in live(world)}


@pytest.mark.parametrize("failure", [SICK, NONSENSE, KeyError("username")], ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_unreadable_user_is_noted_and_the_rest_are_compared(
    world: World, people: list[Account], number: int, failure: Exception
) -> None:
    """Wherever it comes in the order; a reason that nobody foresaw is told by its type alone."""
    sick = people[number]
    world.accounts.unreadable[world.user(sick).id] = failure
    done = compare(world.systems)
    names = {(Aspect.GIVEN_NAME, each.username) for each in people if each is not sick}
    assert (done.state, told(world)) == ("done", {(Anomaly.UNREADABLE, sick.username), *names})
    [finding] = [each for each in live(world) if each.attribute is Anomaly.UNREADABLE]
    unforeseen = "unforeseen error of type KeyError; the worker's log has more"
    assert finding.found == (unforeseen if isinstance(failure, KeyError) else str(failure))
    assert finding.reaction == "report"


def test_it_ends_when_the_user_can_be_read_again(world: World, people: list[Account]) -> None:
    """Also when nothing else of it differs, so that only the look can tell; what was known of it before stays."""
    compare(world.systems)
    world.accounts.unreadable[world.user(people[0]).id] = SICK
    for account in people:
        world.user(account).given_name = account.given_name
    for _ in range(2):
        world.pass_time(600)
        world.user(people[0]).given_name = "Somebody"
        compare(world.systems)
        assert told(world) == {(each, people[0].username) for each in (Aspect.GIVEN_NAME, Anomaly.UNREADABLE)}
    world.user(people[0]).given_name = people[0].given_name
    world.pass_time(600)
    compare(world.systems)
    assert (Anomaly.UNREADABLE, people[0].username) in told(world)
    world.accounts.unreadable.clear()
    world.pass_time(600)
    compare(world.systems)
    assert told(world) == set()


@pytest.mark.parametrize("failure", [SICK, NONSENSE])
def test_keycloak_away_marks_nobody(world: World, people: list[Account], failure: Exception) -> None:
    """No user can be read: the comparison stops as it always did, and comes again."""
    world.accounts.unreadable = dict.fromkeys(world.accounts.users, failure)
    with pytest.raises(type(failure)):
        compare(world.systems)
    assert told(world) == set()


def test_keycloak_that_was_away_for_one_request_marks_nobody(world: World, people: list[Account]) -> None:
    """The user is looked at once more before anything is said of it."""
    world.accounts.fail_next(SICK)
    assert compare(world.systems).state == "done"
    assert told(world) == {(Aspect.GIVEN_NAME, each.username) for each in people}


def test_an_unreadable_stranger_ends_no_comparison(world: World, people: list[Account]) -> None:
    """Somebody who is not ours, in a group of ours."""
    world.accounts.users["guest"] = FakeUser("guest", "guest", "guest@elsewhere.example.com")
    world.accounts.users["guest"].groups.add(vocabulary.profile_group("manager"))
    world.accounts.unreadable["guest"] = SICK
    compare(world.systems)
    assert {each for each in told(world) if each[1] == "guest"} == {(Anomaly.UNREADABLE, "guest")}
    world.accounts.unreadable.clear()
    world.pass_time(600)
    compare(world.systems)
    assert {each for each in told(world) if each[1] == "guest"} == {(Anomaly.FOREIGN_MEMBER, "guest")}


def test_a_hint_at_an_unreadable_user_holds_up_no_other(world: World, people: list[Account]) -> None:
    """It is noted, not looked at again at every reading, and the next comparison looks whether it is still so."""
    job = {"admin-events": Job(look_at_admin_events, timedelta(seconds=30))}
    run_jobs.run_due_job(world.systems, job)
    sick = world.user(people[0]).id
    world.accounts.unreadable[sick] = SICK
    for account in people:
        world.admins.happen(f"users/{world.user(account).id}")
    world.pass_time(35)
    run_jobs.run_due_job(world.systems, job)
    names = {(Aspect.GIVEN_NAME, each.username) for each in people[1:]}
    assert told(world) == {(Anomaly.UNREADABLE, people[0].username), *names}
    asked = world.accounts.asked
    world.pass_time(35)
    run_jobs.run_due_job(world.systems, job)
    assert world.accounts.asked == asked


def test_it_is_told_with_its_remedy_and_nobody_decides_it_away(world: World, people: list[Account]) -> None:
    """Workers cannot write to it either; there is nothing in it to accept."""
    world.accounts.unreadable[world.user(people[0]).id] = SICK
    compare(world.systems)
    [finding] = [each for each in live(world) if each.attribute is Anomaly.UNREADABLE]
    for decide in (accept, repair):
        with pytest.raises(Refused):
            decide(world.systems, finding.id, BY)
    found = world.read(lambda tx: of_figures(figures.read(tx, world.clock.now())))
    [trouble] = [each for each in found if "cannot be read" in each.what]
    assert trouble.what == "1 user in Keycloak cannot be read, while others can"
    assert "drift compare" in trouble.remedy
    assert not any("wait for a decision" in each.what for each in found)


def test_of_an_account_that_is_changed_meanwhile_nothing_is_said(world: World, people: list[Account]) -> None:
    """As of every other: a worker is on its way to it, and says what it meets."""
    world.accounts.unreadable[world.user(people[0]).id] = SICK
    world.do(lambda tx: change(tx, POLICY, people[0].id, AccountChange(given_name="Ada"), BY, world.clock.now()))
    compare(world.systems)
    assert people[0].username not in {who for _, who in told(world)}
