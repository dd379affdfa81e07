"""`fsm-identity report unused` as an administrator types it (D8)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from typer.testing import CliRunner

from sync.domain.accounts.account import Account
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.logins.activity import LoginEvent, LoginKind
from sync.domain.logins.event_reading import Gap
from sync.entrypoints.cli import app, reports
from sync.store import logins
from tests.claiming import JOB
from tests.entrypoints.cli.conftest import Run, done, told
from tests.world import World, leave

pytestmark = pytest.mark.req("D8")


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(reports, "open_desk", lambda: world.systems)
    return lambda *arguments: CliRunner().invoke(app, ["report", *arguments])


def uses(run: Run, *options: str) -> dict[str, str]:
    return {each["account"]["given_name"]: each["use"] for each in told(run, "unused", *options)}


def logs_in(world: World, account: Account, at: datetime, kind: LoginKind = LoginKind.LOGIN) -> None:
    event = LoginEvent(f"{account.id} {at}", at, kind, world.user(account).id)
    with world.systems.db.write() as tx:
        logins.take(tx, JOB, [event])


def test_accounts_that_nobody_uses_are_listed(run: Run, world: World) -> None:
    """Not those that log in, nor those whose application goes on, nor leavers; unknown is not never."""
    ann, ben, cleo, _, eve = (world.join(f"{name}.berg") for name in ("ann", "ben", "cleo", "dan", "eve"))
    world.work()
    logs_in(world, ann, world.clock.now())
    logs_in(world, ben, world.clock.now())
    leave(world, eve.id, GatePolicy.REFUSE)
    world.work()
    assert uses(run) == {}
    world.clock.advance(timedelta(days=100))
    logs_in(world, ben, world.clock.now() - timedelta(days=1), LoginKind.REFRESH)
    assert uses(run) == {"Ann": "unused", "Cleo": "never", "Dan": "never"}
    assert uses(run, "--days", "101") == {"Cleo": "never", "Dan": "never"}
    assert uses(run, "--never", "101") == {"Ann": "unused"}
    listed = done(run("unused"))
    assert cleo.username in listed
    assert "never" in listed
    now = world.clock.now()
    with world.systems.db.write() as tx:
        logins.add_gap(tx, JOB, Gap(now - timedelta(days=20), now - timedelta(days=19), "events were not kept"))
    assert uses(run) == {"Ann": "unknown", "Cleo": "unknown", "Dan": "unknown"}
