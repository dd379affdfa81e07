"""`fsm-identity mappings` as a person types it: look, adopt, go back (E7, I3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mappings.loading import read_texts
from sync.commands.mappings.in_force import adopt_first
from sync.entrypoints.cli import app
from sync.entrypoints.cli.mappings import mappings
from sync.jobs.systems import Systems
from sync.settings import Settings
from sync.store import mappings as policies
from sync.views.mappings import InForce
from tests.world import FIRST, World

Run = Callable[..., Result]
WHY = ("--reason", "the new contract")


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs one command line on the world's database."""

    def build(_settings: Settings) -> tuple[Systems, InForce]:
        in_force = adopt_first(world.systems.db, None, FIRST, world.clock.now())
        return replace(world.systems, policy=in_force.policy, policy_number=in_force.number), in_force

    class NoFolder:
        mappings_folder = None

    monkeypatch.setattr(mappings, "load_settings", NoFolder)
    monkeypatch.setattr(mappings, "open_desk_with_policy", build)
    monkeypatch.setattr(mappings, "open_operator_desk", lambda: world.systems)
    monkeypatch.setattr(mappings, "open_desk", lambda: build(NoFolder())[0])  # type: ignore[arg-type]
    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **more: CliRunner().invoke(app, ["mappings", *arguments], **more)


def change(name: str, old: str, new: str) -> None:
    """Edit a file of the folder `own`."""
    path = Path("own") / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.supports("I3")
def test_a_check_says_which_files_it_looked_at(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder it is those of this version, and never those that FSM_MAPPINGS_FOLDER names."""
    assert run("copy", "own").exit_code == 0
    monkeypatch.setenv("FSM_MAPPINGS_FOLDER", "own")
    assert (
        "of this version (those of a folder: fsm-identity mappings check FOLDER) are good" in run("check").stdout
    )
    assert "of own are good" in run("check", "own").stdout


@pytest.mark.req("E7", "I3")
def test_copy_edit_plan_adopt_and_go_back(run: Run, world: World) -> None:
    """The way an administrator changes a mapping file, to the last command that is printed."""
    world.join("ada.berg", profile="manager")
    assert run("copy", "own", "--in-force").exit_code == 0
    assert {file.name for file in Path("own").iterdir()} == read_texts().keys()
    same = run("plan", "own")
    assert (same.exit_code, "mean what is in force already" in same.output) == (1, True)

    change("profiles.toml", 'title = "Manager"', 'title = "Team lead"')
    change("work_orders.toml", "hold_deadline_days = 14", "hold_deadline_days = 3")
    said = run("plan", "own").output
    assert "changed: profile manager (title: Manager → Team lead)" in said
    assert "changed: work_orders.toml" in said
    assert "fsm-identity mappings adopt own --plan" in said
    assert world.read(policies.newest_number) == 1

    assert run("adopt", "own", *WHY, input="n\n").exit_code == 1
    plan = json.loads(run("plan", "own", "--json").output)
    assert (plan["affected"], plan["in_force"], plan["needs_approval"]) == (0, 1, [])
    wrong = run("adopt", "own", "--plan", "0123456789", *WHY)
    assert (wrong.exit_code, "look at it again" in wrong.output) == (1, True)
    done = run("adopt", "own", "--plan", plan["fingerprint"][:12], *WHY)
    assert (done.exit_code, "policy 2 is in force" in done.output) == (0, True), done.output
    assert "fsm-identity realm apply" in done.output

    assert run("adopt", "--yes", *WHY).exit_code == 0
    history = json.loads(run("history", "--json").output)
    assert [(each["number"], each["reason"]) for each in history][:2] == [(3, WHY[1]), (2, WHY[1])]
    assert history[0]["fingerprint"] == history[2]["fingerprint"]
    assert "first start" in run("history").output

    assert run("copy", "before", "--policy", "2").exit_code == 0
    assert {file.name: file.read_text("utf-8") for file in Path("before").iterdir()} == {
        file.name: file.read_text("utf-8") for file in Path("own").iterdir()
    }, "what was in force can be had again"
    assert "there is no policy 9" in run("copy", "other", "--policy", "9").output


@pytest.mark.req("I3")
@pytest.mark.supports("J3")
def test_wrong_files_are_named_before_anything_is_compared(run: Run, world: World) -> None:
    """File and line, as `check` tells it; a folder with files is not written over."""
    run("copy", "own")
    assert (run("copy", "own").exit_code, world.read(policies.newest_number)) == (1, 0)
    change("guard.toml", "accounts = 50", "accounts = -1")
    for command in (("plan", "own"), ("adopt", "own", "--yes", *WHY)):
        said = run(*command)
        assert said.exit_code == 1
        assert "guard.toml:" in said.output
        assert "-1 is not from 0 to 1000000" in said.output
