"""The beat, which sends the sweeps: after each tick it writes a row, so that one that has died or hangs is noticed
at once (H1, H3).

`python -m workers.beat` is the health check of its container: it asks for the row of this machine.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from functools import cached_property
from typing import Any

import structlog
from celery.beat import PersistentScheduler

from sync.domain.errors import Failure
from sync.domain.operations import TICK_EVERY, TICKS_MISSED
from sync.settings import SettingsError, load_settings
from sync.store.database.clock import DatabaseClock
from sync.store.database.transactions import Database
from sync.store.work import processes
from sync.wiring.doors import open_database

log = structlog.get_logger()


class TickingScheduler(PersistentScheduler):  # type: ignore[misc]  # Celery has no types
    """Celery's own, which says that it ticks. A database that is away stops no tick."""

    _said_at = float("-inf")

    def tick(self, *arguments: Any, **more: Any) -> float:  # noqa: ANN401 - Celery's own
        """Seconds until the next one."""
        wait: float = super().tick(*arguments, **more)
        if time.monotonic() - self._said_at >= TICK_EVERY.total_seconds():
            self._said_at = time.monotonic()
            self._say()
        return min(wait, TICK_EVERY.total_seconds())

    @cached_property
    def _database(self) -> Database:
        return open_database(load_settings())

    def _say(self) -> None:
        try:
            now = DatabaseClock(self._database).now()
            with self._database.write() as tx:
                processes.lives(
                    tx, processes.beat_of(socket.gethostname()), socket.gethostname(), os.getpid(), now
                )
        except (Failure, SettingsError) as error:
            log.warning("that the beat ticks cannot be written", reason=str(error))


def ticks_here() -> str | None:
    """Why the beat of this machine is not well, or None: it ticked lately. Raises SettingsError; a Failure of our
    database."""
    database = open_database(load_settings())
    now, host = DatabaseClock(database).now(), socket.gethostname()
    with database.read() as tx:
        seen_at = processes.last_sign(tx, processes.beat_of(host))
    database.close()
    if seen_at is None:
        return f"no beat has ticked on {host}"
    silent = now - seen_at
    return f"the beat of {host} ticked {silent.total_seconds():.0f} s ago" if silent > TICKS_MISSED else None


if __name__ == "__main__":
    try:
        wrong = ticks_here()
    except (Failure, SettingsError) as error:
        wrong = str(error)
    sys.exit(wrong)
