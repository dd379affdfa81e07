"""The heartbeat of a worker, for whoever watches: a row in our database every few seconds, while it works and
while it waits (H3). What its processes hold depends on signs of life of their own (`signs`).

It runs in the worker's first process, between its other duties and in no thread of its own: that process forks,
and nothing may be in the middle of the database then. For the same reason the connection is closed each time.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog
from celery import Celery, bootsteps, current_task
from celery.worker.state import active_requests

from sync.domain.errors import Failure
from sync.domain.work.lane import Lane
from sync.settings import SettingsError, load_settings
from sync.store.database.transactions import Database, Tx
from sync.store.operations import heartbeats
from sync.store.operations.heartbeats import Worker
from sync.store.operations.skew import note_skew
from sync.wiring.doors import open_database

BEAT_SECONDS = 10

log = structlog.get_logger()


class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Celery starts it with the worker and stops it in good order; a killed worker just falls silent."""

    requires = frozenset({"celery.worker.components:Timer"})

    def __init__(self, worker: Any, **options: Any) -> None:  # noqa: ANN401 - Celery's own
        super().__init__(worker, **options)
        self.started_at = datetime.now(UTC)
        self.timer: Any = None

    def start(self, worker: Any) -> None:  # noqa: ANN401
        self.beat(worker)
        self.timer = worker.timer.call_repeatedly(BEAT_SECONDS, self.beat, (worker,))

    def stop(self, worker: Any) -> None:  # noqa: ANN401
        if self.timer is not None:
            self.timer.cancel()
        _write(lambda tx: heartbeats.leave(tx, worker.hostname, os.getpid()))

    def beat(self, worker: Any) -> None:  # noqa: ANN401
        now = datetime.now(UTC)
        seen = Worker(
            name=worker.hostname,
            host=socket.gethostname(),
            pid=os.getpid(),
            lanes=tuple(sorted({lane.value for lane in Lane} & set(worker.app.amqp.queues.consume_from))),
            started_at=self.started_at,
            seen_at=now,
            doing=", ".join(sorted(_shown(each) for each in active_requests)) or None,
        )
        _write(lambda tx: heartbeats.beat(tx, replace(seen, seen_at=note_skew(tx, seen.host, now))))


def install(app: Celery) -> None:
    app.steps["worker"].add(Heartbeat)


def tell_trouble(trouble: str | None) -> None:
    """Called in a task: why this worker cannot work, or None: it can. Operators read it in `ops status`."""
    name = current_task.request.hostname if current_task else None
    if name is not None:
        _write(lambda tx: heartbeats.note_trouble(tx, name, trouble))


def tell_over(db: Database) -> None:
    """Called in a task that can work: whatever this worker told is over. One read, and a write where it told
    something. Raises a Failure of our database."""
    name = current_task.request.hostname if current_task else None
    if name is None:
        return
    with db.read() as tx:
        told = heartbeats.is_in_trouble(tx, name)
    if told:
        with db.write() as tx:
            heartbeats.note_trouble(tx, name, None)


def _write(change: Callable[[Tx], None]) -> None:
    """A database that is away is the work's problem and is told there; a heartbeat never stops a worker."""
    try:
        database = open_database(load_settings())
        try:
            with database.write() as tx:
                change(tx)
        finally:
            database.close()
    except (Failure, SettingsError) as error:
        log.warning("the heartbeat cannot be written", reason=str(error))


def _shown(request: Any) -> str:  # noqa: ANN401
    """`provision bulk`: the task's name and the lane, which is all that a message carries."""
    words = [request.name.removeprefix("fsm."), *map(str, request.args or ())]
    return " ".join(words)
