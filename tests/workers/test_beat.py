"""The beat says that it ticks, and its health check asks for that (H1, H3)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery

from sync.domain.errors import Transient
from sync.store.database.transactions import Database
from sync.store.work import processes
from tests.chaos.worker_processes import Workers
from tests.services import RedisServer
from tests.waiting import wait_until
from tests.workers.test_heartbeat import db, workers  # noqa: F401 - fixtures
from tests.world import World
from workers import beat
from workers.beat import TickingScheduler, ticks_here

pytestmark = pytest.mark.supports("H1", "H3")

HERE = processes.beat_of(socket.gethostname())


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[TickingScheduler]:
    """One with nothing to send."""
    app = Celery("test", set_as_current=False)
    app.config_from_object({"broker_url": "memory://", "result_expires": None})
    made = TickingScheduler(app=app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
    made.setup_schedule()
    yield made
    made.close()


@pytest.fixture
def ours(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world's database is that of the settings, its clock that of the database."""
    monkeypatch.setattr(beat, "load_settings", lambda: None)
    monkeypatch.setattr(beat, "open_database", lambda _: world.systems.db)
    monkeypatch.setattr(beat, "DatabaseClock", lambda _: world.clock)
    return world


def test_each_tick_is_a_row_and_a_beat_that_stops_is_unwell(ours: World, scheduler: TickingScheduler) -> None:
    """A file that was written minutes ago says nothing; the row is seconds old, or the container is not well."""
    assert "no beat has ticked" in str(ticks_here())
    assert scheduler.tick() <= beat.TICK_EVERY.total_seconds()
    assert ours.read(processes.last_tick) == ours.clock.now()
    assert ticks_here() is None
    ours.pass_time(31)
    assert "ticked 31 s ago" in str(ticks_here())
    scheduler._said_at = float("-inf")
    scheduler.tick()
    assert ticks_here() is None


def test_a_database_that_is_away_stops_no_tick(
    ours: World, scheduler: TickingScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sweeps go on; whoever looks sees an old row."""

    def away(*_: object) -> None:
        raise Transient("our database is away", system="database")

    monkeypatch.setattr(processes, "lives", away)
    assert scheduler.tick() <= beat.TICK_EVERY.total_seconds()
    assert ours.read(processes.last_tick) is None


def test_what_works_for_nobody_holds_nothing(ours: World) -> None:
    """The row of a beat is none of a worker's process, and is forgotten like those."""
    with ours.systems.db.write() as tx:
        processes.lives(tx, HERE, "north", 7, ours.clock.now())
        processes.lives(tx, "0199-worker", "north", 8, ours.clock.now() + timedelta(minutes=1))
    assert ours.read(processes.last_tick) == ours.clock.now()


def test_a_real_beat_ticks(workers: Workers, db: Database, redis_server: RedisServer) -> None:  # noqa: F811
    """As it is started in production: the row comes and moves on."""

    def tick() -> object:
        with db.read() as tx:
            return processes.last_sign(tx, HERE)

    redis_server.flush()
    workers.start_beat()
    wait_until(lambda: tick() is not None, 60, "it does not tick")
    first = tick()
    wait_until(lambda: tick() != first, 20, "it ticked once")
