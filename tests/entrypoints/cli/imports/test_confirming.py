"""`import confirm`: what is asked before, whose run it is, what becomes of it when nobody watches (F3, F4)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from sync.entrypoints.cli.imports import import_view
from sync.jobs.systems import Systems
from tests.commands.imports.import_sites import person
from tests.entrypoints.cli.conftest import SitDown
from tests.entrypoints.cli.imports.conftest import Run, WorkerAtOnce, staff

pytestmark = pytest.mark.req("F3", "I3")


@pytest.mark.parametrize(
    ("mails", "told"),
    [
        ("--welcome-mail", "2 joiners, with a temporary password"),
        ("--no-welcome-mail", "nobody: joiners have no password until"),
    ],
)
def test_what_is_confirmed_is_said_before_it_is_asked(
    run: Run, systems: Systems, tmp_path: Path, mails: str, told: str
) -> None:
    """The file, who reviewed it and how long ago, who gets a mail."""
    run("review", staff(tmp_path, person(1), person(2), name="new [hall].csv"), mails)
    systems.clock.advance(timedelta(hours=3, minutes=12))  # type: ignore[attr-defined]
    [made] = json.loads(run("list", "--json").output)
    before, asked, _ = run("confirm", "last", input="n\n").output.partition("Apply this?")
    assert asked
    assert "new [hall].csv" in before
    assert f"reviewed by {made['by']['caller']['login']}" in before
    assert "3 hours ago" in before
    assert f"mailed      {told}" in before


def test_last_is_ones_own(run: Run, sit_down: SitDown, tmp_path: Path) -> None:
    """Somebody else's review in between is not confirmed by mistake; by its id it can be."""
    sit_down(1001)
    run("review", staff(tmp_path, person(1), name="mine.csv"))
    sit_down(1002)
    run("review", staff(tmp_path, person(2), name="theirs.csv"))
    sit_down(1001)
    assert "mine.csv: confirmed" in run("confirm", "last", "--yes").output
    sit_down(1003)
    nothing = run("confirm", "last", "--yes")
    theirs, _ = json.loads(run("list", "--json").output)
    assert nothing.exit_code == 1
    assert "none of the last ones is yours" in nothing.output
    assert f"the newest, of theirs.csv (if that is meant: {theirs['id']})" in nothing.output
    assert "theirs.csv: confirmed" in run("confirm", theirs["id"], "--yes").output


@pytest.mark.req("F4")
def test_ctrl_c_ends_the_watching_and_says_so(
    run: Run, worker: WorkerAtOnce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on: how to look again, and how to stop it."""

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    worker.systems = None
    monkeypatch.setattr(import_view, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=interrupt))
    run("review", staff(tmp_path, person(1)))
    done = run("confirm", "last", "--yes")
    assert done.exit_code == 130
    [made] = json.loads(run("list", "--json").output)
    assert made["state"] == "confirmed"
    assert "no longer watched; it goes on by itself" in done.output
    assert f"watch it: fsm-identity import show {made['id'][-8:]}" in done.output
    assert f"stop it:  fsm-identity import cancel {made['id'][-8:]}" in done.output
