"""What the tests of `fsm-identity account` share."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from sync.entrypoints.cli import acts, app, waiting
from sync.entrypoints.cli.accounts import account
from tests.entrypoints.cli.conftest import Run
from tests.world import World, at_work  # noqa: F401 - a fixture


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command; nobody waits for a worker longer than a moment."""
    for module in (account, acts):
        monkeypatch.setattr(module, "open_desk", lambda: world.systems)
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0)
    return lambda *arguments: CliRunner().invoke(app, ["account", *arguments])
