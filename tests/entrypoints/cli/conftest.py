"""What the tests of the command line share: the world of the use cases, and lines that are not broken."""

from __future__ import annotations

import json
from collections.abc import Callable
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


def done(said: Result) -> str:
    """What a command that went well has said."""
    assert said.exit_code == 0, said.output
    return said.output


def told(run: Run, *arguments: str) -> Any:
    """The same for programs."""
    return json.loads(done(run(*arguments, "--json")))
