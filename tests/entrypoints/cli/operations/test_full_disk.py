"""A full disk is named as what it is, and the operator's first question is answered all the same (H2, H3)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.disks import fill, small_disk  # noqa: F401 - a fixture
from tests.entrypoints.cli.processes import settings_for, the_command_line
from tests.world import set_up

pytestmark = pytest.mark.req("H2", "H3")


@pytest.fixture
def full_disk(small_disk: Path) -> dict[str, str]:  # noqa: F811
    """Our SQLite file is on it, and no process has it open: not even reading can begin."""
    settings = settings_for(small_disk)
    set_up(settings["FSM_DATABASE_URL"])
    fill(small_disk)
    return settings


def test_status_names_the_full_disk_and_still_answers(full_disk: dict[str, str]) -> None:
    """With its remedy, and what can be known without our database."""
    said = the_command_line("ops", "status", **full_disk)
    assert said.returncode == 1
    assert "no disk space left" in said.stdout
    assert "free disk space on the database's machine" in said.stdout
    assert "Redis cannot be used" in said.stdout
    assert said.stderr == ""
    answer = json.loads(the_command_line("ops", "status", "--json", **full_disk).stdout)
    assert [each["what"].split(";")[0] for each in answer["troubles"]][:1] == [
        "our database has no disk space left"
    ]
    assert (answer["login"], answer["figures"]) == (None, None)


def test_other_commands_name_the_full_disk_too(full_disk: dict[str, str]) -> None:
    """Nobody looks for a broken file."""
    said = the_command_line("account", "list", **full_disk)
    assert said.returncode == 1
    assert "no disk space left" in said.stderr
