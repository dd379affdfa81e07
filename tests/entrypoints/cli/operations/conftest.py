"""What the tests of `fsm-identity ops` share: an empty database, and what is there when nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from sync.domain.operations import LoginProbe
from sync.domain.work.lane import Lane
from sync.entrypoints.cli import app, mail
from sync.entrypoints.cli.operations import circuit, ops
from sync.store import schedule
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.tables import schedule as schedule_table
from sync.store.database.transactions import Database
from sync.store.operations import heartbeats, login_probe
from sync.store.operations.heartbeats import Worker
from sync.store.work import processes
from sync.wiring import doors
from sync.wiring.doors import OperatorDesk
from tests.entrypoints.cli.conftest import Run
from tests.entrypoints.web.conftest import MakeSettings, make_settings  # noqa: F401 - a fixture
from tests.fakes.signals import FakeClock, FakeWake


@pytest.fixture
def operations(make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[OperatorDesk]:  # noqa: F811
    """What every command of a test gets: an empty database, nothing else."""
    settings = make_settings()
    url = settings.database_url.get_secret_value()
    schema.upgrade(url)
    database = Database(url, Sealer([settings.secret_keys.get_secret_value()]))
    made = OperatorDesk(database, FakeWake(), FakeClock(), settings)
    for module in (ops, circuit, mail):
        monkeypatch.setattr(module, "open_operator_desk", lambda: made)
    yield made
    database.close()


@pytest.fixture
def run(operations: OperatorDesk) -> Run:
    """Runs one command."""
    return lambda *arguments: CliRunner().invoke(app, ["ops", *arguments])


@pytest.fixture
def well(operations: OperatorDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker for every lane, a beat, a Keycloak that answers, a Redis and mapping files without fault."""
    monkeypatch.setattr(doors, "queue_depths", lambda _: dict.fromkeys(Lane, 0))
    monkeypatch.setattr(ops, "open_desk", lambda _: None)
    now = operations.clock.now()
    keycloak_said(operations, None)
    started = now - timedelta(hours=1)
    everything = Worker("all@north", "north", 4711, tuple(sorted(Lane)), started, now, "provision bulk")
    with operations.db.write() as tx:
        heartbeats.beat(tx, everything)
        processes.lives(tx, processes.beat_of("north"), "north", 4712, now)


def keycloak_said(
    operations: OperatorDesk,
    reason: str | None,
    *,
    ago: timedelta = timedelta(seconds=4),
    since: timedelta = timedelta(hours=3),
) -> None:
    """What became of the last question whether Keycloak answers. Both spans end now."""
    now = operations.clock.now()
    state = login_probe.record(LoginProbe(now - ago, now - since, reason))
    with operations.db.write() as tx:
        schedule.register(tx, [login_probe.NAME], now + timedelta(seconds=5))
        row = update(schedule_table).where(schedule_table.c.name == login_probe.NAME)
        tx.connection.execute(row.values(state=state))
