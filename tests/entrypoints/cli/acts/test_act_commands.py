"""One-shot acts as a person types them: what is shown once is shown in every case (C1)."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from sync.domain.accounts.account import Account
from sync.domain.errors import Transient
from sync.entrypoints.cli import acts, app
from sync.jobs.systems import Systems
from tests.entrypoints.cli.conftest import Run
from tests.world import World


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command."""
    monkeypatch.setattr(acts, "open_desk", lambda: world.systems)
    return lambda *arguments: CliRunner().invoke(app, ["account", *arguments])


@pytest.mark.req("C1", "H1")
def test_a_password_is_told_although_waiting_failed(
    run: Run, people: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reset is stored and goes on alone; our database is away while the command line waits for the worker."""

    def away(_site: Systems, _act: object, _timeout: int) -> None:
        raise Transient("the database cannot be asked just now", system="database")

    monkeypatch.setattr(acts, "wait_for_act", away)
    said = run("reset-password", people[0].username, "--reason", "forgot it", "--json")
    assert said.exit_code == 1
    assert "the database cannot be asked" in said.stderr
    answer = json.loads(said.stdout)
    assert answer["temporary_password"]
    assert answer["act"]["state"] == "waiting"
