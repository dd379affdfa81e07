"""A command that waits says at once what it waits for (H6)."""

from __future__ import annotations

import pytest
from click.testing import Result
from sqlalchemy import update
from typer.testing import CliRunner

from sync.commands.operations import lanes
from sync.domain.accounts.account import Account
from sync.domain.operations import LoginProbe
from sync.domain.work.lane import Lane
from sync.entrypoints.cli import acts, app
from sync.entrypoints.cli.accounts import account
from sync.store import schedule
from sync.store.database.tables import schedule as schedule_table
from sync.store.operations import login_probe
from tests.entrypoints.cli.conftest import Run
from tests.world import BY, World

pytestmark = pytest.mark.req("H6", "I3")

CHANGE = ("change", "ann.arno@example.com", "--family-name", "Arndt", "--reason", "married")


@pytest.fixture
def run(world: World, people: list[Account], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command about people who are in Keycloak; no worker comes, and nobody waits for long."""
    for module in (account, acts):
        monkeypatch.setattr(module, "open_desk", lambda: world.systems)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["account", *arguments, "--timeout", "1"])

    return invoke


@pytest.mark.parametrize("command", [CHANGE, ("unlock", "ann.arno@example.com", "--reason", "called us")])
def test_a_paused_lane_is_named_with_who_paused_it(run: Run, world: World, command: tuple[str, ...]) -> None:
    """And with the command that lets it go on; once, however long it lasts."""
    world.do(lambda tx: lanes.pause(tx, None, Lane.INTERACTIVE, BY, world.clock.now()))
    said = run(*command)
    assert said.exit_code == 1
    assert said.stderr.count(f"interactive is paused by {BY.name}: {BY.reason}") == 1
    assert "fsm-identity ops resume interactive" in said.stderr


def test_what_was_done_before_the_change_is_not_told_as_a_try_of_it(run: Run) -> None:
    """The people are in Keycloak and have their mails; of this change no worker has seen anything."""
    late = run(*CHANGE).stderr
    assert "after 1 s not in Keycloak; it goes on alone. No worker has looked at it yet." in late


def test_a_lane_that_nobody_waits_for_may_be_paused(run: Run, world: World) -> None:
    world.do(lambda tx: lanes.pause(tx, None, Lane.BULK, BY, world.clock.now()))
    assert "paused" not in run(*CHANGE).stderr


def test_a_keycloak_that_does_not_answer_is_named(run: Run, world: World) -> None:
    """Before a worker has met it."""
    now = world.clock.now()
    with world.systems.db.write() as tx:
        schedule.register(tx, [login_probe.NAME], now)
        silent = login_probe.record(LoginProbe(now, now, "no answer within 3 s"))
        tx.connection.execute(update(schedule_table).values(state=silent))
    assert "Keycloak does not answer since 2026-03-02 09:00:00 UTC: no answer within 3 s" in run(*CHANGE).stderr
