"""`import template`: what it offers, and what it leaves alone (F1)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sync.entrypoints.cli.imports import imports
from sync.jobs.systems import Systems
from sync.spreadsheet.reading import read_sheet
from tests.commands.imports.import_sites import person
from tests.company import company
from tests.entrypoints.cli.imports.conftest import Run, staff

pytestmark = pytest.mark.req("F1", "I3")


def test_the_template_offers_what_is_in_force(
    run: Run, systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the mapping files of this machine say: the import goes by the others. First and last days are among
    it."""
    (tmp_path / "in-force").mkdir()
    in_force = replace(systems, policy=company(tmp_path / "in-force"))
    monkeypatch.setattr(imports, "open_desk", lambda: in_force)
    assert run("template", "-o", "empty.xlsx").exit_code == 0
    [header] = read_sheet((tmp_path / "empty.xlsx").read_bytes()).rows
    titles = [cell.text for cell in header.cells.values()]
    assert titles[-5:] == ["Cost centre", "Desk height", "Vehicle", "Hired on", "First aider"]
    assert {"Start date", "End date"} <= set(titles)


def test_a_file_that_is_there_is_left_alone(run: Run, tmp_path: Path) -> None:
    """The staff list that somebody has filled in, and the errors that somebody mends."""
    run("review", staff(tmp_path, person(1, Profil="Dispatchr")))
    for name, command in (("staff.xlsx", ("template",)), ("mended.csv", ("errors", "last"))):
        (tmp_path / name).write_text("two hours of work", "utf-8")
        said = run(*command, "-o", name)
        assert (said.exit_code, f"{name} is there already (name another file)" in said.output) == (1, True)
        assert (tmp_path / name).read_text("utf-8") == "two hours of work"
