"""What the tests of the command line share: the world of the use cases, pipes and terminals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from sync.entrypoints.cli.terminal.output import Screen
from tests.world import migrated, people, world  # noqa: F401 - fixtures

Run = Callable[..., Result]


Terminal = Callable[[int], None]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """From now on people read the command line on a terminal of so many columns; else it stands in a pipe."""

    def open_terminal(columns: int) -> None:
        monkeypatch.setattr(Screen, "width", columns)

    return open_terminal


SitDown = Callable[[int], None]


@pytest.fixture
def sit_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SitDown:
    """From now on the kernel says that the login of this number is at the command line."""
    login_id = tmp_path / "loginuid"
    monkeypatch.setattr("sync.entrypoints.cli.machine.LOGIN_ID", login_id)

    def sit(number: int) -> None:
        login_id.write_text(str(number), encoding="ascii")

    return sit


def done(said: Result) -> str:
    """What a command that went well has said."""
    assert said.exit_code == 0, said.output
    return said.output


def told(run: Run, *arguments: str) -> Any:
    """The same for programs, which read standard output alone."""
    said = run(*arguments, "--json")
    done(said)
    return json.loads(said.stdout)
