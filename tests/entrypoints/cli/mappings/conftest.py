"""A person who edits mapping files and adopts them, and the company that follows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from sync.commands.mappings.in_force import adopt_first
from sync.entrypoints.cli import app, waiting
from sync.entrypoints.cli.accounts import account
from sync.entrypoints.cli.mappings import mappings
from sync.entrypoints.cli.runs import runs
from sync.jobs.systems import Systems
from sync.views.mappings import InForce
from tests.adopting import in_force
from tests.world import FIRST, World


@pytest.fixture
def cli(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Runs one command line on the world's database, by the policy that `tests.adopting.in_force` began with."""

    def desk_with_policy(_settings: object) -> tuple[Systems, InForce]:
        return world.systems, adopt_first(world.systems.db, None, FIRST, world.clock.now())

    class NoFolder:
        mappings_folder = None

    monkeypatch.setattr(mappings, "load_settings", NoFolder)
    monkeypatch.setattr(mappings, "open_desk_with_policy", desk_with_policy)
    for noun in (mappings, account, runs):
        monkeypatch.setattr(noun, "open_desk", lambda: world.systems)
    monkeypatch.setattr(mappings, "open_operator_desk", lambda: world.systems)
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0)
    monkeypatch.chdir(tmp_path)
    in_force(world)
    return lambda *arguments, **more: CliRunner().invoke(app, list(arguments), **more)
