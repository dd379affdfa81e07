"""Files that are not as the import wants them: what is said is true, and mends them (F1, F2, F5)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.imports.import_sites import person
from tests.entrypoints.cli.imports.conftest import Run, staff

pytestmark = pytest.mark.req("F1", "F2", "I3")


@pytest.mark.parametrize(
    ("title", "why"), [("Eintritt", "nothing waits for a start"), ("Austritt", "on an end date")]
)
def test_dates_that_nothing_acts_on_are_refused_with_the_reason(
    run: Run, tmp_path: Path, title: str, why: str
) -> None:
    """A joiner of next month would get her mail today; without the column the file is taken, on a word."""
    file = staff(tmp_path, person(1, **{title: "2027-01-31"}))
    refused = run("review", file)
    assert refused.exit_code == 1
    assert f"G2 ('{title}'): " in refused.output
    assert why in refused.output
    assert "to import the file without: --map G=" in refused.output
    assert json.loads(run("list", "--json").output) == []
    assert run("review", file, "--map", f"{title}=").exit_code == 0
    by_hand = run("review", staff(tmp_path, person(1, Tag="1"), name="other.csv"), "--map", "Tag=valid_until")
    assert (by_hand.exit_code, "nothing happens on an end date" in by_hand.output) == (1, True)
