"""Signs of life of a process that works: a row in our database every few seconds, from a thread of its own,
however long the work takes (H1).

Whoever stops giving them, because it was killed or its machine stands still, loses what it holds to others long
before its leases run out.
"""

from __future__ import annotations

import os
import socket
import threading
from functools import lru_cache
from typing import Any
from uuid import uuid4

import structlog
from celery.signals import worker_process_shutdown

from sync.domain.errors import Failure
from sync.domain.work.lease import SIGN_EVERY
from sync.jobs.work.unforeseen import as_failure
from sync.settings import load_settings
from sync.store.database.clock import DatabaseClock
from sync.store.database.transactions import Database
from sync.store.work import processes
from sync.wiring.doors import open_database

log = structlog.get_logger()


class SignsOfLife(threading.Thread):
    """Gives the first sign before it starts, so that nothing is ever held by a process nobody has seen. Raises a
    Failure if even that cannot be written."""

    def __init__(self, db: Database) -> None:
        super().__init__(name="signs of life", daemon=True)
        self.process_id = str(uuid4())
        self._db = db
        self._clock = DatabaseClock(db)
        self._over = threading.Event()
        self._give()

    def run(self) -> None:
        """One that cannot be written, whatever the reason, is followed by the next; three missing ones let others
        take over."""
        while not self._over.wait(SIGN_EVERY.total_seconds()):
            try:
                self._give()
            except Exception as error:
                log.warning("a sign of life cannot be written", reason=str(as_failure(error, thread=self.name)))

    def end(self) -> None:
        """In good order: nothing of the process needs to be waited for."""
        self._over.set()
        try:
            with self._db.write() as tx:
                processes.ends(tx, self.process_id)
        except Failure as failure:
            log.warning("the last sign of life cannot be written", reason=str(failure))

    def _give(self) -> None:
        now = self._clock.now()
        with self._db.write() as tx:
            processes.lives(tx, self.process_id, socket.gethostname(), os.getpid(), now)


@lru_cache(maxsize=1)
def _signs(process: int) -> SignsOfLife:
    """Those of this process, made after the fork: connections and threads are not shared with the parent."""
    del process
    signs = SignsOfLife(open_database(load_settings()))
    signs.start()
    return signs


def of_process(process: int) -> str:
    """The name under which this process holds leases; from now on it gives signs of life. Raises a Failure."""
    return _signs(process).process_id


@worker_process_shutdown.connect
def end(**_: Any) -> None:  # noqa: ANN401 - Celery's own
    if _signs.cache_info().currsize:
        _signs(os.getpid()).end()
