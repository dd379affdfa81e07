"""`fsm-identity drift` as a person types it: compare, look at what was found, decide about it (G4)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account
from sync.domain.work.lane import Lane
from sync.entrypoints.cli import app, drift
from sync.jobs.drift.scheduled import ATTRIBUTE_PASS, COMPARISON
from sync.jobs.schedule.run_jobs import run_due_job
from sync.store.accounts import accounts
from sync.store.operations import figures, heartbeats
from sync.store.operations.heartbeats import Worker
from sync.views.operations.troubles import of_figures
from tests.entrypoints.cli.conftest import Run, Terminal, done, told
from tests.fakes.accounts import FakeUser
from tests.world import BRANCH, World

pytestmark = pytest.mark.req("G4")

WHY = ("--reason", "as the branch told us")


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command, and as soon as it wakes them the workers of the lane reconcile."""
    monkeypatch.setattr(drift, "open_desk", lambda: world.systems)
    monkeypatch.setattr(world.wake, "wake", lambda lane: reconcile(world) if lane is Lane.RECONCILE else None)
    return lambda *arguments: CliRunner().invoke(app, ["drift", *arguments])


def reconcile(world: World) -> None:
    while run_due_job(world.systems, {"comparison": COMPARISON, "attribute-pass": ATTRIBUTE_PASS}):
        pass


@pytest.fixture
def changed(world: World, people: list[Account]) -> list[Account]:
    """Somebody renamed Ann, switched Ben off and let a stranger into a branch, in Keycloak's console."""
    world.user(people[0]).family_name = "Behind"
    world.user(people[1]).enabled = False
    stranger = FakeUser("kc-guest", "guest", "guest@elsewhere.example.com")
    stranger.groups = {vocabulary.branch_group(BRANCH.key)}
    world.accounts.users[stranger.id] = stranger
    return people


def finding(run: Run, attribute: str) -> dict[str, Any]:
    [found] = [each for each in told(run, "list") if each["attribute"] == attribute]
    return dict(found)


@pytest.mark.req("A2", "I3")
def test_a_name_from_keycloak_does_not_steer_the_terminal(run: Run, world: World, people: list[Account]) -> None:
    """What would turn the line round, go back in it or colour it, is named instead."""
    world.user(people[0]).family_name = "\u202eonrA\r\x1b[31m"
    done(run("compare"))
    assert "<U+202E>onrA<U+000D><U+001B>[31m" in done(run("list"))


def test_nothing_differs(run: Run, people: list[Account]) -> None:
    """One line says so; the lists are empty, and status says who compared and that it is over."""
    assert people
    said = done(run("compare"))
    assert "no drift" in said
    assert "done" in said
    assert told(run, "list") == []
    last, _ = told(run, "status")["comparisons"]
    assert (last["kind"], last["state"], last["counts"]["accounts"]) == ("comparison", "done", 3)
    assert "comparison by" in done(run("status"))


def test_what_differs_is_listed_and_shown(run: Run, changed: list[Account]) -> None:
    """Who, in what, wanted and found; the ending that is listed names the finding."""
    assert "3 open findings" in done(run("compare"))
    listed = done(run("list"))
    for words in (changed[0].username, "Behind", "switched-off", "foreign-member", "guest"):
        assert words in listed
    found = finding(run, "family-name")
    shown = done(run("show", found["id"][-drift.ENDING :]))
    assert found["id"] in shown
    assert found["subject"]["account_id"] in shown
    assert told(run, "show", found["id"]) == found | {"changed_by": []}
    [guest] = told(run, "list", "--foreign")
    assert guest["username"] == "guest"
    assert "guest@elsewhere.example.com" in done(run("list", "--foreign"))
    assert told(run, "status")["open"] == {"family-name": 1, "foreign-member": 1, "switched-off": 1}


def test_a_finding_is_accepted(run: Run, world: World, changed: list[Account]) -> None:
    """The new name is wanted from now on; the answer has the decision, who made it and why."""
    done(run("compare"))
    found = finding(run, "family-name")
    answer = told(run, "accept", found["id"], *WHY)
    assert (answer["state"], answer["decision"]["reason"]) == ("accepted", WHY[1])
    ann = world.read(lambda tx: accounts.get(tx, changed[0].id))
    assert ann is not None
    assert ann.family_name == "Behind"
    assert "is accepted" in done(run("accept", finding(run, "switched-off")["id"], *WHY))


def test_a_finding_is_repaired(run: Run, world: World, changed: list[Account]) -> None:
    """It is being repaired until a comparison finds it gone, and then it is told only among all."""
    done(run("compare"))
    found = finding(run, "switched-off")
    answer = told(run, "repair", found["id"][-drift.ENDING :], *WHY)
    assert answer["state"] == "open"
    assert answer["repair_asked_at"]
    assert "being repaired" in done(run("list"))
    world.work()
    assert world.user(changed[1]).enabled
    world.pass_time(1)
    done(run("compare"))
    assert "switched-off" not in {each["attribute"] for each in told(run, "list")}
    ended = [each["state"] for each in told(run, "list", "--all") if each["id"] == found["id"]]
    assert ended == ["repaired"]


def test_what_is_refused_says_why(run: Run, changed: list[Account]) -> None:
    """No such finding, no reason, a stranger that the workers do not write to."""
    assert changed
    done(run("compare"))
    unknown = run("show", "ffffffff")
    assert (unknown.exit_code, "see fsm-identity drift list" in unknown.output) == (1, True)
    guest = finding(run, "foreign-member")["id"]
    assert run("repair", guest).exit_code == 2
    refused = run("repair", guest, *WHY)
    assert (refused.exit_code, "do not write to guest" in refused.output) == (1, True)
    assert run("accept", guest, "--reason", " ").exit_code == 1


def test_the_slow_pass_is_asked_for(run: Run, people: list[Account]) -> None:
    """It is a comparison of its own kind."""
    assert people
    answer = told(run, "compare", "--attributes")
    assert (answer["kind"], answer["state"], answer["counts"]["users"]) == ("attribute-pass", "done", 3)


def test_a_comparison_is_asked_for_and_begun_by_a_worker(
    run: Run, world: World, people: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door only stores who asked. Without a worker it says so and what to start; a second who asks meanwhile
    waits for the same one; whichever worker comes later carries it out in the name of who asked first."""
    assert people
    monkeypatch.setattr(world.wake, "wake", lambda _lane: None)
    asked_before = world.accounts.asked
    alone = run("compare")
    assert (alone.exit_code, "no worker serves the lane reconcile" in alone.output) == (1, True)
    answer = told(run, "compare", "--no-wait")
    assert (answer["state"], world.accounts.asked) == ("asked", asked_before)
    assert "asked for at" in done(run("status"))
    now = world.clock.now()
    world.do(lambda tx: heartbeats.beat(tx, Worker("w", "host", 1, ("reconcile",), now, now)))
    late = run("compare", "--timeout", "1")
    assert (late.exit_code, "drift status" in late.output) == (1, True)
    reconcile(world)
    last, _ = told(run, "status")["comparisons"]
    assert (last["id"], last["state"], last["by"]) == (answer["id"], "done", answer["by"])
    assert answer["by"] != "schedule"


@pytest.mark.req("H4")
def test_nobody_has_to_ask_for_a_comparison(run: Run, world: World, people: list[Account]) -> None:
    """It comes by itself, again after its period and not before: what somebody did in the console is found."""
    reconcile(world)
    assert told(run, "list") == []
    world.user(people[1]).enabled = False
    reconcile(world)
    assert told(run, "list") == [], "it is not due again yet"
    world.pass_time(COMPARISON.period.total_seconds() * 1.2)
    reconcile(world)
    assert finding(run, "switched-off")["found"] == "disabled"
    last = told(run, "status")["comparisons"][0]
    assert (last["by"], last["state"]) == ("schedule", "done")


def test_a_comparison_that_failed_says_why(run: Run, world: World, people: list[Account]) -> None:
    """As the worker met it, with exit code 1."""
    assert people
    world.accounts.users.clear()
    failed = run("compare")
    assert failed.exit_code == 1
    assert "unsafe: Keycloak lists 0 of our 3 users" in failed.output


def test_a_repair_that_does_not_come_about_waits_for_a_person(
    run: Run, world: World, people: list[Account]
) -> None:
    """Ben is off, which nobody has decided about, so nothing of him is repaired: status says so when the alert
    does, not never."""
    ben = world.user(people[1])
    ben.enabled = False
    ben.groups = {*ben.groups, vocabulary.profile_group("manager")}
    done(run("compare"))

    def waiting() -> list[str]:
        found = world.read(lambda tx: of_figures(figures.read(tx, world.clock.now())))
        return [each.what for each in found if "for a decision" in each.what]

    assert waiting() == ["1 finding in Keycloak waits for a decision: switched-off 1"]
    world.clock.advance(timedelta(minutes=16))
    assert waiting() == ["2 findings in Keycloak wait for a decision: profile 1, switched-off 1"]


def test_what_is_handed_out_to_be_repaired_calls_nobody(run: Run, world: World, people: list[Account]) -> None:
    """The finding ends with the next comparison, hours later; neither status nor alert asks for it meanwhile."""
    world.user(people[0]).family_name = "Behind"
    done(run("compare"))
    world.clock.advance(timedelta(minutes=16))
    read = world.read(lambda tx: figures.read(tx, world.clock.now()))
    assert [(each.attribute, each.state, each.count) for each in read.drift] == [("family-name", "repairing", 1)]
    assert not [each for each in of_figures(read) if "for a decision" in each.what]


def test_a_held_repair_is_not_taken_for_a_done_one(run: Run, world: World) -> None:
    """The comparison says itself that its repairs wait for an approval, and how to give it."""
    people = [world.join(f"person.no{number}") for number in range(12)]
    world.work()
    for each in people:
        user = world.user(each)
        user.groups = {*user.groups, vocabulary.profile_group("manager")}
    said = run("compare")
    assert "fsm-identity runs approve" in said.output, said.output
    assert "12 to repair" in said.output


@pytest.mark.req("H3", "I3")
@pytest.mark.parametrize("which", [(), ("--foreign",)])
def test_a_list_that_is_cut_says_so(
    run: Run,
    world: World,
    changed: list[Account],
    monkeypatch: pytest.MonkeyPatch,
    terminal: Terminal,
    which: tuple[str, ...],
) -> None:
    """A program gets all of it, unless it names a limit."""
    world.accounts.users["kc-2"] = FakeUser("kc-2", "other", "other@elsewhere.example.com")
    assert run("compare").exit_code == 0
    monkeypatch.setattr(drift, "ON_SCREEN", 1)
    terminal(120)
    assert "there are more" in run("list", *which).stderr
    everything = told(run, "list", *which)
    assert len(everything) > 1
    one = run("list", *which, "--limit", "1", "--json")
    assert json.loads(one.stdout) == everything[:1]
    assert "there are more" in one.stderr
