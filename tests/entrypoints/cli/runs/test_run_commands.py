"""`fsm-identity runs` as a person types it: what is held, why, and how it ends (E7, I3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from sync.entrypoints.cli import app
from sync.entrypoints.cli.imports import imports
from sync.entrypoints.cli.runs import runs
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from tests.commands.imports.import_sites import import_site, person, staff_file

Run = Callable[..., Result]
WHY = ("--reason", "the branch has closed")


@pytest.fixture
def systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systems]:
    """What every command of a test gets."""
    with import_site(f"sqlite:///{tmp_path / 'our.db'}") as made:
        for module in (imports, runs):
            monkeypatch.setattr(module, "open_desk", lambda: made)
        yield made


@pytest.fixture
def run(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command line in an own folder."""
    assert systems
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def plan(run: Run, systems: Systems, tmp_path: Path) -> str:
    """Twelve people in Hamburg, and a confirmed import that moves all of them: held. Answers its fingerprint."""
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
def test_a_held_import_is_listed_shown_and_approved(run: Run, systems: Systems, plan: str) -> None:
    """Every account that moves is on the list; the approval says who and why."""
    assert "held" in run("import", "list").output
    assert "fsm-identity runs approve" in run("import", "show", "last").output
    shown = run("runs", "show", "last").output
    assert "branch: hamburg → koeln" in shown
    assert shown.count("Pat Number") == 12
    approved = run("runs", "approve", "last", "--plan", plan[:16], *WHY)
    assert approved.exit_code == 0, approved.output
    while apply_chunk(systems):
        pass
    found = json.loads(run("runs", "show", "last", "--json").output)
    assert (found["run"]["state"], found["run"]["approval_reason"]) == ("done", "the branch has closed")
    assert {row["result"] for row in found["rows"]} == {"applied"}


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
