"""`fsm-identity report access` as an auditor types it: what was wanted, and what Keycloak held (G2)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mappings.loading import read_texts
from sync.commands.accounts.change import change
from sync.commands.mappings.adopt import adopt
from sync.commands.mappings.in_force import adopt_first
from sync.commands.mappings.plan import propose
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy
from sync.entrypoints.cli import app, reports
from tests.adopting import in_force
from tests.comparing import compare
from tests.entrypoints.cli.conftest import Run, Terminal, done, told
from tests.fakes.field_service import WorkOrder
from tests.jobs.drift.drift_steps import bulk
from tests.world import BY, FIRST, World, leave

pytestmark = pytest.mark.req("G2")

DAY = timedelta(days=1)


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(reports, "open_operator_desk", lambda: world.systems)
    return lambda *arguments: CliRunner().invoke(app, ["report", *arguments])


def now(world: World) -> str:
    """This moment, as it is asked for later; a day goes by."""
    moment = world.clock.now().isoformat()
    world.clock.advance(DAY)
    return moment


def of(run: Run, account: Account, at: str) -> Any:
    [row] = told(run, "access", "--at", at, "--account", account.username)
    return row


def names(run: Run, *options: str) -> list[str]:
    return [each["username"].partition("@")[0] for each in told(run, "access", *options)]


def wants(world: World, account: Account, **changes: Any) -> None:
    world.do(
        lambda tx: change(tx, world.systems.policy, account.id, AccountChange(**changes), BY, world.clock.now())
    )


def with_profiles(world: World, folder: Path, edit: Callable[[str], str]) -> None:
    """Other profiles.toml come into force."""
    folder.mkdir()
    text = read_texts()["profiles.toml"]
    assert edit(text) != text
    (folder / "profiles.toml").write_text(edit(text), encoding="utf-8")
    proposal = propose(adopt_first(world.systems.db, None, FIRST, world.clock.now()), folder)
    adopt(world.systems, proposal, BY)
    in_force(world)


def test_a_leaver_has_access_until_keycloak_has_let_go(run: Run, world: World) -> None:
    """Between the wish and Keycloak the two sides are told apart, and access counts."""
    ann = world.join("ann.arno")
    before = now(world)
    world.work()
    working = now(world)
    leave(world, ann.id, GatePolicy.HOLD)
    between = now(world)
    world.work()
    gone = now(world)

    row = of(run, ann, before)
    assert (row["access"], row["keycloak_known"], row["keycloak"]) == ("no", True, None)
    row = of(run, ann, working)
    assert (row["access"], row["wanted"]["life"], row["keycloak"]["enabled"]) == ("yes", "active", True)
    row = of(run, ann, between)
    assert (row["access"], row["wanted"]["life"], row["keycloak"]["enabled"]) == ("yes", "inactive", True)
    assert row["wanted"]["life_given"] == {
        "at": between,
        "by": "dana",
        "door": "command line",
        "reason": "because the test says so",
    }
    row = of(run, ann, gone)
    assert (row["access"], row["keycloak"]["enabled"], row["keycloak"]["since"]) == ("no", False, gone)
    assert [names(run, "--at", at) for at in (before, working, between, gone)] == [["ann.arno"]] * 3 + [[]]
    assert names(run, "--at", gone, "--all") == ["ann.arno"]
    listed = done(run("access", "--at", between))
    assert "inactive, dispatcher" in listed
    assert "enabled, dispatcher" in listed


def test_who_is_held_by_open_work_has_access_meanwhile(run: Run, world: World) -> None:
    """A worker that tried and was held took nothing."""
    tess = world.join_technician()
    world.fsm.add(WorkOrder("WO-1", lead="T-1"))
    leave(world, tess.id, GatePolicy.HOLD)
    world.work()
    held = now(world)
    row = of(run, tess, held)
    assert (row["access"], row["wanted"]["life"], row["keycloak"]["technician_id"]) == ("yes", "inactive", "T-1")


def test_a_profile_meant_what_the_files_of_then_say(run: Run, world: World, tmp_path: Path) -> None:
    """Never what those of today say; before the first files nobody knows."""
    ann = world.join("ann.arno")
    world.work()
    unknown = now(world)
    in_force(world)
    first = now(world)
    with_profiles(world, tmp_path / "files", lambda text: text.replace('"scheduling", ', "", 2))
    second = now(world)

    row = of(run, ann, unknown)
    assert (row["access"], row["wanted"]["profile"]) == ("yes", "dispatcher")
    assert row["wanted"]["features"] is row["keycloak"]["features"] is row["wanted"]["data_access"] is None
    assert "not known" in done(run("access", "--at", unknown))
    for at, scheduling in ((first, True), (second, False)):
        row = of(run, ann, at)
        for side in ("wanted", "keycloak"):
            assert ("scheduling" in row[side]["features"]) is scheduling
            assert "work-orders" in row[side]["features"]
        assert row["wanted"]["data_access"] == "branch"


def test_whoever_changes_the_profile_has_the_old_one_until_it_is_carried_out(run: Run, world: World) -> None:
    """Found under either, with who gave it and since when."""
    ann = world.join("ann.arno")
    world.join("ben.berg")
    world.work()
    old = now(world)
    wants(world, ann, profile="manager")
    between = now(world)
    world.work()
    new = now(world)
    row = of(run, ann, between)
    assert (row["wanted"]["profile"], row["keycloak"]["profiles"]) == ("manager", ["dispatcher"])
    assert (row["wanted"]["given"]["at"], row["keycloak"]["since"]) == (between, old)
    managers = [names(run, "--at", at, "--profile", "manager") for at in (old, between, new)]
    assert managers == [[], ["ann.arno"], ["ann.arno"]]
    dispatchers = [names(run, "--at", at, "--profile", "dispatcher") for at in (old, between, new)]
    assert dispatchers == [["ann.arno", "ben.berg"], ["ann.arno", "ben.berg"], ["ben.berg"]]
    assert names(run, "--at", new, "--branch", "nowhere") == []
    assert names(run, "--at", new, "--branch", str(ann.branch)) == ["ann.arno", "ben.berg"]


@pytest.mark.req("G2", "G4")
def test_whom_somebody_switched_on_in_keycloak_had_access(run: Run, world: World) -> None:
    """From when it was found until a worker undid it."""
    ann = world.join("ann.arno")
    world.work()
    leave(world, ann.id, GatePolicy.HOLD)
    world.work()
    left = now(world)
    world.work()
    world.user(ann).enabled = True
    compare(world.systems)
    found = now(world)
    bulk(world)
    undone = now(world)
    assert [of(run, ann, at)["access"] for at in (left, found, undone)] == ["no", "yes", "no"]
    assert of(run, ann, found)["keycloak"]["drift"] == ["switched-on"]


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2026-01-01T12:00", "has no zone"),
        ("2026-01-01", "has no zone"),
        ("yesterday", "is no time"),
        ("2999-01-01T00:00Z", "is to come"),
    ],
)
def test_a_time_that_means_nothing_is_refused(run: Run, at: str, why: str) -> None:
    """With what to write instead, and nothing listed."""
    said = run("access", "--at", at)
    assert said.exit_code == 1
    assert why in said.stderr
    assert not said.stdout


def test_the_report_is_a_table_of_any_program(run: Run, world: World, terminal: Terminal) -> None:
    """CSV has all columns; a list that is cut says so; without a time it is of now."""
    for name in ("ann.arno", "ben.berg", "cem.cohn"):
        world.join(name)
    world.work()
    rows = list(csv.DictReader(io.StringIO(done(run("access", "--csv")))))
    assert [row["access"] for row in rows] == ["yes"] * 3
    assert (rows[0]["by"], rows[0]["reason"]) == ("dana (command line)", "because the test says so")
    assert datetime.fromisoformat(rows[0]["there since"])
    terminal(200)
    cut = run("access", "--limit", "2")
    assert "there are more" in cut.stderr
    assert "cem.cohn" not in cut.stdout
