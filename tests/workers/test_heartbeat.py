"""The heartbeat of a real Celery worker: there while it waits, telling what is wrong, gone with it (H3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from celery import Celery
from cryptography.fernet import Fernet
from sqlalchemy import select

from sync.adapters.broker import PROVISION
from sync.commands.mappings.in_force import adopt_first
from sync.devstack.process import Running, end
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.tables import process
from sync.store.database.transactions import Database
from sync.store.operations import heartbeats
from sync.store.operations.heartbeats import Worker
from tests.chaos.worker_processes import Workers
from tests.services import RedisServer
from tests.waiting import wait_until
from tests.world import FIRST

pytestmark = pytest.mark.supports("H3")

KEY = Fernet.generate_key().decode()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A database with the shipped mapping files in force."""
    url = f"sqlite:///{tmp_path / 'our.db'}"
    schema.upgrade(url)
    database = Database(url, Sealer([KEY]))
    adopt_first(database, None, FIRST, datetime.now(UTC))
    yield database
    database.close()


@pytest.fixture
def workers(tmp_path: Path, db: Database, redis_server: RedisServer) -> Iterator[Workers]:
    """Workers whose Keycloak answers nowhere."""
    redis_server.flush()
    here = Workers(
        tmp_path,
        {
            "FSM_DATABASE_URL": f"sqlite:///{tmp_path / 'our.db'}",
            "FSM_REDIS_URL": redis_server.url,
            "FSM_FIELD_SERVICE_URL": f"sqlite:///{tmp_path / 'fsm.db'}",
            "FSM_SECRET_KEYS": KEY,
            "FSM_KEYCLOAK__URL": "http://127.0.0.1:9",
            "FSM_KEYCLOAK__WORKER_SECRET": "hidden-secret",
            "FSM_MAIL__LOGIN_URL": "https://login.example.com/",
        },
    )
    yield here
    here.end()


def seen(db: Database) -> tuple[Worker, ...]:
    with db.read() as tx:
        return heartbeats.seen(tx)


def started(workers: Workers, db: Database) -> Running:
    running = workers.start("bulk", "bulk,mail")
    wait_until(lambda: bool(seen(db)), 60, "no heartbeat")
    return running


def test_a_worker_is_seen_while_it_waits_and_leaves_in_good_order(workers: Workers, db: Database) -> None:
    """Nobody has woken it, and it is there all the same; once it is ended nobody looks for it."""
    running = started(workers, db)
    [worker] = seen(db)
    assert (worker.name, worker.pid, worker.lanes) == ("bulk@test", running.pid, ("bulk", "mail"))
    wait_until(lambda: seen(db)[0].seen_at > worker.seen_at, 30, "no second heartbeat")
    assert seen(db)[0].trouble is None
    end([running], seconds=30)
    assert seen(db) == ()


def wake(redis_server: RedisServer) -> None:
    broker = Celery(broker=redis_server.url)
    broker.conf.broker_transport_options = {"global_keyprefix": "fsm:"}
    broker.send_task(PROVISION, args=["bulk"], queue="bulk")


def signs(db: Database) -> list[datetime]:
    """The last sign of life of each process that may hold something."""
    with db.read() as tx:
        return list(tx.connection.scalars(select(process.c.seen_at)))


@pytest.mark.supports("H1")
def test_a_process_that_works_gives_signs_of_life(
    workers: Workers, db: Database, redis_server: RedisServer
) -> None:
    """From its first work on, again and again; one that ends in good order is not waited for, a killed one is
    silent."""
    running = started(workers, db)
    wake(redis_server)
    wait_until(lambda: len(signs(db)) == 1, 60, "no sign of life")
    first = signs(db)
    wait_until(lambda: signs(db) > first, 30, "no second sign of life")
    end([running], seconds=30)
    assert signs(db) == []
    started(workers, db)
    wake(redis_server)
    wait_until(lambda: len(signs(db)) == 1, 60, "no sign of life")
    workers.kill(workers.started[-1])
    assert len(signs(db)) == 1


def test_a_worker_that_cannot_work_says_why(workers: Workers, db: Database, redis_server: RedisServer) -> None:
    """Its Keycloak is away: operators read that where they read everything else, and no secret with it."""
    started(workers, db)
    wake(redis_server)
    wait_until(lambda: seen(db)[0].trouble is not None, 60, "no trouble told")
    assert "Keycloak" in str(seen(db)[0].trouble)
    assert "hidden" not in str(seen(db)[0].trouble)
    workers.kill(workers.started[0])
    assert [worker.name for worker in seen(db)] == ["bulk@test"]
