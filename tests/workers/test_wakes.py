"""Wakes on a real Redis: workers join in while there is work, and messages never pile up."""

from __future__ import annotations

import importlib
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest
from celery import Celery
from cryptography.fernet import Fernet

from sync.adapters.broker import GIVE_UP, REDIS, CeleryWake
from sync.domain.errors import Transient
from sync.domain.work.lane import Lane
from tests.services import RedisServer
from tests.world import World

pytestmark = pytest.mark.supports("H1", "H5")


@pytest.fixture
def redis_settings(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The least settings celeryconfig needs, with a Redis that is empty; the module is read anew."""
    redis_server.flush()
    for name, value in {
        "FSM_DATABASE_URL": "sqlite:////nowhere/fsm.db",
        "FSM_REDIS_URL": redis_server.url,
        "FSM_FIELD_SERVICE_URL": "sqlite:////nowhere/field.db",
        "FSM_SECRET_KEYS": Fernet.generate_key().decode(),
        "FSM_KEYCLOAK__URL": "http://127.0.0.1:9",
        "FSM_MAIL__LOGIN_URL": "https://login.example.com/",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "celeryconfig", raising=False)
    yield
    sys.modules.pop("celeryconfig", None)


@pytest.fixture
def tasks(redis_settings: None) -> ModuleType:
    """What a worker runs; it reads its settings when it is imported."""
    return importlib.import_module("workers.tasks")


@pytest.fixture
def wakes(redis_settings: None) -> Iterator[CeleryWake]:
    """What sends wakes in every process of ours."""
    here = CeleryWake()
    yield here
    here._app.close()


def waiting(wakes: CeleryWake, lane: Lane) -> int:
    """How many messages the lane's queue holds."""
    app: Celery = wakes._app
    with app.connection_for_write() as connection:
        return int(connection.default_channel.queue_declare(lane.value).message_count)


@pytest.mark.parametrize("lane", list(Lane))
def test_a_lane_that_nobody_serves_gathers_no_messages(wakes: CeleryWake, lane: Lane) -> None:
    """A day of sweeps and clicks while a worker is away leaves one message, not thousands."""
    for _ in range(500):
        wakes.wake(lane)
    assert waiting(wakes, lane) == 1
    assert {waiting(wakes, other) for other in Lane if other is not lane} == {0}


def test_sweeps_that_wait_keep_no_wake_back(wakes: CeleryWake) -> None:
    """While every worker is busy the sweeps pile up and expire; a click still wakes somebody."""
    beat = importlib.import_module("celeryconfig").beat_schedule["sweep"]
    for _ in range(3):
        wakes._app.send_task(beat["task"], **beat["options"])
    wakes.wake(Lane.INTERACTIVE)
    assert waiting(wakes, Lane.INTERACTIVE) == 1


def test_a_redis_that_says_nothing_holds_nobody_up(redis_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections and is silent; whoever waits for a command is told in seconds
    (fact: a-silent-redis-holds-a-command)."""
    patience = 4 * GIVE_UP["socket_timeout"]
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as waiting_for_it:
        monkeypatch.setenv("FSM_REDIS_URL", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        sys.modules.pop("celeryconfig", None)
        told = waiting_for_it.submit(CeleryWake().wake, Lane.INTERACTIVE).exception(timeout=patience)
    assert isinstance(told, Transient)
    assert told.about == REDIS


@pytest.mark.parametrize("lane", [Lane.INTERACTIVE, Lane.BULK, Lane.MAIL])
def test_a_worker_that_is_busy_for_long_sweeps_too(
    tasks: ModuleType, world: World, lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A periodic job is due while all workers are busy with an import: it does not wait for the end of it."""
    monkeypatch.setattr(tasks.celeryconfig, "SWEEP_SECONDS", 0)
    left = iter([1, 1])
    tasks.drain(world.systems, lane, lambda: next(left, 0))
    assert Lane.RECONCILE in world.wake.woken


@pytest.mark.parametrize(("shares", "woken"), [(0, 0), (1, 0), (2, 1), (9, 1)])
def test_idle_workers_join_in_while_there_is_more(
    tasks: ModuleType, world: World, shares: int, woken: int
) -> None:
    """One click wakes nobody else; a backlog wakes the next worker, which wakes the next."""
    left = iter([1] * shares)
    tasks.drain(world.systems, Lane.BULK, lambda: next(left, 0))
    assert world.wake.woken == [Lane.BULK] * woken


def test_a_worker_whose_time_is_up_leaves_a_wake_for_who_is_free(
    tasks: ModuleType, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backlog of hours does not wait for the sweep each time a worker stops to let others in."""
    monkeypatch.setattr(tasks.celeryconfig, "DRAIN_SECONDS", 0)
    done: list[int] = []
    tasks.drain(world.systems, Lane.BULK, lambda: done.append(1) or 1)
    assert len(done) == 2
    assert world.wake.woken == [Lane.BULK]
