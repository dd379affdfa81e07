"""`fsm-identity runs` as a person types it: what is held, why, and how it ends (E7, I3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import select
from typer.testing import CliRunner

from mappings.guard import ApprovalRules
from sync.entrypoints.cli import app
from sync.entrypoints.cli.accounts import account
from sync.entrypoints.cli.imports import imports
from sync.entrypoints.cli.runs import runs
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from sync.store.database.tables import audit
from tests.commands.imports.import_sites import import_site, person, staff_file
from tests.entrypoints.cli.conftest import SitDown, Terminal

Run = Callable[..., Result]
WHY = ("--reason", "the branch has closed")


@pytest.fixture
def systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systems]:
    """What every command of a test gets."""
    with import_site(f"sqlite:///{tmp_path / 'our.db'}") as made:
        for module in (account, imports, runs):
            monkeypatch.setattr(module, "open_desk", lambda: made)
        yield made


@pytest.fixture
def run(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command line in an own folder."""
    assert systems
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def plan(run: Run, systems: Systems, tmp_path: Path, sit_down: SitDown) -> str:
    """Twelve people in Hamburg, and an import that moves all of them, confirmed by login 41001: held. Returns its
    fingerprint."""
    sit_down(41001)
    people = [person(number) for number in range(1, 13)]
    for branch in ("Hamburg", "Köln"):
        moved = staff_file(*(each | {"Niederlassung": branch} for each in people))
        (tmp_path / "staff.csv").write_bytes(moved)
        assert run("import", "review", "staff.csv").exit_code == 0
        said = run("import", "confirm", "last", "--yes", "--no-wait")
        while apply_chunk(systems):
            pass
    assert said.exit_code == 1
    assert "12 accounts would be moved to another branch or team: 100 % of 12" in said.output
    assert "fsm-identity runs approve" in said.output
    [listed] = json.loads(run("runs", "list", "--held", "--json").output)
    return str(listed["fingerprint"])


@pytest.mark.req("E7", "I3")
def test_a_held_import_is_listed_shown_and_approved(
    run: Run, systems: Systems, plan: str, sit_down: SitDown
) -> None:
    """Every account that moves is on the list; the approval says who and why."""
    assert "held" in run("import", "list").output
    assert "fsm-identity runs approve" in run("import", "show", "last").output
    shown = run("runs", "show", "last").output
    assert "branch: hamburg → koeln" in shown
    assert shown.count("Pat Number") == 12
    sit_down(41002)
    approved = run("runs", "approve", "last", "--plan", plan[:16], *WHY)
    assert approved.exit_code == 0, approved.output
    while apply_chunk(systems):
        pass
    found = json.loads(run("runs", "show", "last", "--json").output)
    assert (found["run"]["state"], found["run"]["approval"]["reason"]) == ("done", "the branch has closed")
    assert {row["result"] for row in found["rows"]} == {"applied"}


@pytest.mark.req("E7", "G6", "A7")
@pytest.mark.supports("I4")
def test_who_confirmed_does_not_approve(
    run: Run, systems: Systems, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another name in the variables of the shell helps nobody, and the history does not believe it."""
    for name in ("LOGNAME", "USER", "SUDO_USER"):
        monkeypatch.setenv(name, "boss")
    refused = run("runs", "approve", "last", "--plan", plan, *WHY)
    assert refused.exit_code == 1
    assert "takes somebody else than uid 41001, who confirmed it" in refused.output
    assert "a guard.toml with one_is_enough" in refused.output
    assert json.loads(run("runs", "list", "--held", "--json").output)
    with systems.db.read() as tx:
        audited = list(tx.connection.execute(select(audit)))
    assert {(each.actor, each.caller_kind, each.caller_id) for each in audited} == {
        ("uid 41001", "machine", "41001")
    }
    assert all(each.caller_host for each in audited)


@pytest.mark.req("E7")
def test_one_is_enough_where_guard_toml_says_so(
    run: Run, systems: Systems, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For one person who looks after everything alone; it may be the other way round, too."""

    def say(rules: ApprovalRules) -> None:
        policy = replace(systems.policy, guard=replace(systems.policy.guard, approval=rules))
        desk = replace(systems, policy=policy)
        monkeypatch.setattr(runs, "open_desk", lambda: desk)

    say(ApprovalRules(needs_account=True))
    refused = run("runs", "approve", "last", "--plan", plan, *WHY)
    assert (refused.exit_code, "guard.toml demands an account" in refused.output) == (1, True)
    say(ApprovalRules(one_is_enough=True))
    approved = run("runs", "approve", "last", "--plan", plan, *WHY)
    assert "run: the mapping files have changed since the review" not in approved.output
    assert approved.exit_code == 0, approved.output


@pytest.mark.req("A7", "F4")
def test_an_import_keeps_who_reviewed_who_confirmed_and_why(
    run: Run, systems: Systems, tmp_path: Path, sit_down: SitDown
) -> None:
    """The history joins the confirmer's name with the confirmer's reason, through the door they came in."""
    (tmp_path / "staff.csv").write_bytes(staff_file(person(1)))
    sit_down(41001)
    assert run("import", "review", "staff.csv", "--reason", "the list of March").exit_code == 0
    sit_down(41002)
    [made] = json.loads(run("import", "list", "--json").output)
    assert run("import", "confirm", made["id"], "--yes", "--no-wait", "--reason", "looks right").exit_code == 0
    while apply_chunk(systems):
        pass
    history = run("account", "show", "pat1@example.com").output
    assert "uid 41002 (command line, import): looks right (import of staff.csv" in history
    assert "uid 41001" not in history
    assert "the list of March" not in history
    listed = run("runs", "show", "last").output
    assert "by uid 41001 (command line): the list of March" in listed
    assert "by uid 41002 (command line): looks right" in listed


@pytest.mark.req("E7", "I3")
def test_what_is_refused_says_why(run: Run, plan: str) -> None:
    """Another fingerprint, a run that is not held, no reason."""
    wrong = run("runs", "approve", "last", "--plan", "0123456789ab", *WHY)
    assert (wrong.exit_code, "is not 0123456789ab" in wrong.output) == (1, True)
    assert run("runs", "approve", "last", "--plan", plan).exit_code == 2
    assert run("runs", "reject", "last", *WHY).exit_code == 0
    late = run("runs", "approve", "last", "--plan", plan, *WHY)
    assert (late.exit_code, "is cancelled, not held" in late.output) == (1, True)
    assert run("runs", "list", "--held", "--json").output.strip() == "[]"


@pytest.mark.req("E7", "F8")
def test_an_empty_file_is_refused(run: Run, tmp_path: Path) -> None:
    """A file without a person is no order to do anything."""
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "nobody.csv").write_bytes(staff_file(person(1)).split(b"\r\n")[0] + b"\r\n")
    for name in ("empty.csv", "nobody.csv"):
        said = run("import", "review", name)
        assert said.exit_code == 1
        assert "✗" in said.output


@pytest.mark.req("H3", "I3")
def test_a_list_that_is_cut_says_so(
    run: Run, plan: str, monkeypatch: pytest.MonkeyPatch, terminal: Terminal
) -> None:
    """Of runs of any kind and of imports; a program gets all of them."""
    monkeypatch.setattr(runs, "ON_SCREEN", 1)
    monkeypatch.setattr(imports, "ON_SCREEN", 1)
    terminal(120)
    for noun in ("runs", "import"):
        assert "there are more" in run(noun, "list").stderr
        said = run(noun, "list", "--json")
        assert len(json.loads(said.stdout)) == 2
        assert "there are more" not in said.stderr
