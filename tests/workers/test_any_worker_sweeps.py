"""Any real worker takes a sweep, whatever lanes it was started for (H1)."""

from __future__ import annotations

import pytest
from celery import Celery

from sync.adapters.broker import SWEEP
from sync.store import schedule
from sync.store.database.transactions import Database
from tests.chaos.worker_processes import Workers
from tests.services import RedisServer
from tests.waiting import wait_until
from tests.workers.test_heartbeat import db, started, workers  # noqa: F401 - fixtures


@pytest.mark.supports("H1")
def test_a_worker_of_other_lanes_sweeps(workers: Workers, db: Database, redis_server: RedisServer) -> None:  # noqa: F811
    """The interactive worker is busy or gone: what is due is found all the same."""
    started(workers, db)
    broker = Celery(broker=redis_server.url)
    broker.conf.broker_transport_options = {"global_keyprefix": "fsm:"}
    broker.send_task(SWEEP, queue="sweep")

    def swept() -> bool:
        with db.read() as tx:
            return bool(schedule.all_jobs(tx))

    wait_until(swept, 60, "nobody swept")
