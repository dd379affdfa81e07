"""What the tests of the command line share: the world of the use cases, and lines that are not broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.world import migrated, people, world  # noqa: F401 - fixtures

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wide enough that no line is broken."""
    monkeypatch.setattr("sync.entrypoints.cli.output.screen.width", 300, raising=False)
    monkeypatch.setattr("sync.entrypoints.cli.output.errors.width", 300, raising=False)


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
