"""`fsm-identity import` as a person types it: what is printed, what is written, which exit code (I3)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sync.domain.errors import NeedsPerson
from sync.jobs.systems import Systems
from tests.commands.imports.import_sites import person
from tests.entrypoints.cli.imports.conftest import Run, WorkerAtOnce, staff


@pytest.mark.req("F2", "I3")
def test_review_prints_counts_cells_and_the_next_command(run: Run, tmp_path: Path) -> None:
    """What is wrong stands beside its cell; the exit code says that something is."""
    done = run("review", staff(tmp_path, person(1), person(2, Niederlassung="Hamburk")))
    assert done.exit_code == 1
    assert "F4: 'Hamburk' is unknown (did you mean 'Hamburg'?)" in done.output
    assert "fsm-identity import confirm" in done.output
    assert "Number1" not in done.output
    assert "Number1" in run("show", "last", "--all").output


@pytest.mark.req("F3", "F4", "I3")
def test_confirm_waits_until_keycloak_has_every_row(run: Run, tmp_path: Path) -> None:
    """Pinned to file and fingerprint, asked once, followed to the end."""
    file = staff(tmp_path, person(1), person(2))
    assert run("review", file).exit_code == 0
    [listed] = json.loads(run("list", "--json").output)
    done = run("confirm", "last", "--file", file, "--fingerprint", listed["fingerprint"][:16], input="y\n")
    assert done.exit_code == 0, done.output
    assert "Apply this?" in done.output
    shown = json.loads(run("show", listed["id"], "--json").output)
    assert shown["progress"]["places"] == {"in Keycloak": 2, "waiting": 0, "held": 0, "quarantined": 0}
    assert [row["place"] for row in shown["rows"]] == ["in Keycloak"] * 2


def test_confirm_that_is_not_wanted_changes_nothing(run: Run, tmp_path: Path) -> None:
    """No is an answer."""
    run("review", staff(tmp_path, person(1)))
    assert run("confirm", "last", input="n\n").exit_code == 1
    assert json.loads(run("list", "--json").output)[0]["state"] == "reviewed"


@pytest.mark.req("F3", "I3")
def test_confirm_tells_what_differs(run: Run, tmp_path: Path) -> None:
    """Another file, another world, a second time: a clear line and exit code 1."""
    run("review", staff(tmp_path, person(1)))
    other = staff(tmp_path, person(2), name="other.csv")
    refused = run("confirm", "last", "--yes", "--file", other)
    assert (refused.exit_code, "is not the staff.csv that was reviewed" in refused.output) == (1, True)
    assert run("confirm", "last", "--yes").exit_code == 0
    again = run("confirm", "last", "--yes")
    assert (again.exit_code, "was confirmed by" in again.output) == (1, True)


@pytest.mark.req("F4", "H2")
def test_confirm_fails_when_a_row_needs_a_person(run: Run, systems: Systems, tmp_path: Path) -> None:
    """The row and the reason are printed, and the error file holds it."""
    run("review", staff(tmp_path, person(1)))
    systems.bulk_accounts.fail_next(NeedsPerson("somebody has to look"))  # type: ignore[attr-defined]
    done = run("confirm", "last", "--yes")
    assert done.exit_code == 1
    assert "somebody has to look" in done.output
    assert run("errors", "last", "-o", "errors.csv").exit_code == 0
    assert "Keycloak refuses it" in (tmp_path / "errors.csv").read_text("utf-8-sig")


@pytest.mark.req("F4")
def test_confirm_says_how_to_go_on_when_nobody_works(run: Run, worker: WorkerAtOnce, tmp_path: Path) -> None:
    """No worker answers in time: the run is stored and goes on by itself."""
    worker.systems = None
    run("review", staff(tmp_path, person(1)))
    done = run("confirm", "last", "--yes", "--timeout", "1")
    assert done.exit_code == 1
    assert "goes on by itself" in done.output
    assert "fsm-identity import show" in done.output
    assert run("cancel", "last").exit_code == 0
    assert json.loads(run("list", "--json").output)[0]["state"] == "cancelled"


@pytest.mark.req("F5")
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_error_file_can_be_mended_and_imported(run: Run, tmp_path: Path, suffix: str) -> None:
    """The wrong rows come back with their reasons; mended, they are imported, and the messages are no column."""
    run("review", staff(tmp_path, person(1), person(2, Profil="Dispatchr", Notiz="=1+1")))
    assert run("errors", "last", "-o", f"errors.{suffix}").exit_code == 0
    first = run("review", f"errors.{suffix}")
    assert "Dispatchr" in first.output
    assert json.loads(run("show", "last", "--json").output)["run"]["counts"]["error"] == 1
    row = json.loads(run("show", "last", "--json").output)["rows"][0]
    assert row["errors"][0]["reason"] == "'Dispatchr' is unknown"
    if suffix == "csv":
        text = (tmp_path / "errors.csv").read_text("utf-8-sig")
        assert "'=1+1" in text
        assert "Profil: 'Dispatchr' is unknown (did you mean 'Dispatcher'?)" in text
        (tmp_path / "errors.csv").write_text(text.replace("Dispatchr;", "Dispatcher;"), "utf-8-sig")
        assert run("review", "errors.csv").exit_code == 0


@pytest.mark.req("F1", "F2")
def test_columns_are_named_by_hand(run: Run, tmp_path: Path) -> None:
    """A title nobody knows is mapped on the command line; a wrong mapping is told."""
    people = [{("Post" if title == "E-Mail" else title): text for title, text in person(1).items()}]
    file = staff(tmp_path, *people)
    refused = run("review", file)
    assert (refused.exit_code, "no column for email" in refused.output) == (1, True)
    assert run("review", file, "--map", "Post=email").exit_code == 0
    wrong = run("review", file, "--map", "Post=mail")
    assert (wrong.exit_code, "did you mean 'email'" in wrong.output) == (1, True)
    assert "write it like" in run("review", file, "--map", "Post").output


@pytest.mark.req("F2", "F8")
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("photo.xlsx", b"\x89PNG\r\n\x1a\n", "a picture, not a spreadsheet"),
        ("empty.csv", b"", "the file is empty"),
        ("missing.csv", None, "there is no file missing.csv"),
    ],
)
def test_file_that_is_none_is_refused(
    run: Run, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    """One line, exit code 1, no run."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = run("review", name)
    assert (done.exit_code, said in done.output) == (1, True)
    assert json.loads(run("list", "--json").output) == []


def test_wrong_names_are_told(run: Run, tmp_path: Path) -> None:
    """A run that is not there, an error file of no kind, a run without errors."""
    assert "there is no run 'last'" in run("show", "last").output
    run("review", staff(tmp_path, person(1)))
    assert "neither .xlsx nor .csv" in run("errors", "last", "-o", "errors.pdf").output
    assert "no row with an error" in run("errors", "last", "-o", "errors.csv").output
