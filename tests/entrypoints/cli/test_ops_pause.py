"""`fsm-identity ops pause` and `resume` as a person types them (H3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import Result
from typer.testing import CliRunner

from sync.domain.lane import Lane
from sync.entrypoints.cli import app, ops
from sync.store import lanes, schema
from sync.store.database import Database
from sync.store.sealing import Sealer
from sync.wiring import Operations
from tests.entrypoints.console.conftest import MakeSettings, make_settings  # noqa: F401 - a fixture
from tests.fakes.signals import FakeClock, FakeWake

pytestmark = pytest.mark.req("H3")

Run = Callable[..., Result]


@pytest.fixture
def operations(make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operations]:  # noqa: F811
    """What every command of a test gets: an empty database, nothing else."""
    settings = make_settings()
    url = settings.database_url.get_secret_value()
    schema.upgrade(url)
    database = Database(url, Sealer([settings.secret_keys.get_secret_value()]))
    made = Operations(database, FakeWake(), FakeClock(), settings)
    monkeypatch.setattr(ops, "build_operations", lambda: made)
    yield made
    database.close()


@pytest.fixture
def run(operations: Operations, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command, wide enough that no line is broken."""
    monkeypatch.setattr("sync.entrypoints.cli.output.screen.width", 300, raising=False)
    monkeypatch.setattr("sync.entrypoints.cli.output.errors.width", 300, raising=False)
    return lambda *arguments: CliRunner().invoke(app, ["ops", *arguments])


def test_a_lane_is_paused_once_and_resumed_once(run: Run, operations: Operations) -> None:
    """What changed nothing is refused, naming the lane; the resume wakes the workers."""
    assert run("pause", "bulk", "--reason", "Keycloak is being upgraded").exit_code == 0
    with operations.db.read() as tx:
        assert [each.lane for each in lanes.paused(tx)] == [Lane.BULK]
    again = run("pause", "bulk", "--reason", "again")
    assert again.exit_code == 1
    assert "bulk is paused already" in again.output
    done = run("resume", "bulk", "--reason", "it is upgraded", "--json")
    assert json.loads(done.stdout) == {"lane": "bulk", "paused": False}
    assert operations.wake.woken == [Lane.BULK]  # type: ignore[attr-defined]
    assert run("resume", "bulk", "--reason", "again").exit_code == 1


def test_pausing_single_changes_warns_that_nobody_is_locked_out(run: Run) -> None:
    """It is the one lane whose pause keeps people in who should be out."""
    done = run("pause", "interactive", "--reason", "the realm is being moved")
    assert done.exit_code == 0
    assert "deactivations wait too" in done.stderr


def test_a_reason_and_a_known_lane_are_needed(run: Run) -> None:
    """Wrong usage is exit code 2 and changes nothing."""
    assert run("pause", "bulk").exit_code == 2
    assert run("pause", "bulkk", "--reason", "x").exit_code == 2
