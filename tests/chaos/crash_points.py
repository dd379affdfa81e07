"""Every single point of I/O of Systems, counted, so that a process can end or freeze at any chosen one.

Stands in front of the ports and of the database and knows nothing of what a use case does in between: each call
of a port's method and each transaction is one point, whatever it is called. An end always comes before a point:
after one point is before the next, and a transaction that did not commit was none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from sync.jobs.systems import Systems
from sync.store.database.transactions import Database, Tx

T = TypeVar("T")


class Crash(BaseException):
    """The process is gone, as by kill -9. No `except Exception` of the code under test sees it."""


@dataclass
class Points:
    """Counts points of I/O from 1. Before number `at` it ends the process, or, with `meanwhile`, freezes it while
    that runs; a dead process does no more I/O. `passed` names the points, `held_open` calls made inside a
    transaction.
    """

    at: int
    meanwhile: Callable[[], None] | None = None
    passed: list[str] = field(default_factory=list)
    held_open: list[str] = field(default_factory=list)
    dead: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: threading.local = field(default_factory=threading.local)

    @property
    def reached(self) -> bool:
        """Whether there was a point of the chosen number."""
        return len(self.passed) >= self.at > 0

    @property
    def where(self) -> str:
        """The chosen point in words, for the message of a failure."""
        return f"before {self.passed[self.at - 1]} (number {self.at})" if self.reached else "nowhere"

    def call(self, name: str, work: Callable[[], T]) -> T:
        """A call of a foreign system."""
        if getattr(self._open, "depth", 0):
            self.held_open.append(name)
        self._arrive(name)
        result = work()
        self._still_alive()
        return result

    @contextmanager
    def transaction(self, name: str, begun: Callable[[], Any]) -> Iterator[Tx]:
        """A transaction: one point, before it begins. One of a process that has ended is rolled back."""
        self._arrive(name)
        with begun() as tx:
            self._open.depth = getattr(self._open, "depth", 0) + 1
            try:
                yield tx
            finally:
                self._open.depth -= 1
            self._still_alive()

    def _arrive(self, name: str) -> None:
        with self._lock:
            self._still_alive()
            self.passed.append(name)
            hit = len(self.passed) == self.at
            if hit and self.meanwhile is None:
                self.dead = True
                raise Crash
        if hit and self.meanwhile is not None:
            self.meanwhile()

    def _still_alive(self) -> None:
        """Another thread of the process may have met the end."""
        if self.dead:
            raise Crash


@dataclass(frozen=True)
class WatchedPort:
    """A port whose calls are points; any method it has or will have."""

    behind: object
    name: str
    points: Points

    def __getattr__(self, method: str) -> Any:
        found = getattr(self.behind, method)
        if not callable(found):
            return found
        return lambda *given, **named: self.points.call(f"{self.name}.{method}", lambda: found(*given, **named))


@dataclass(frozen=True)
class WatchedDatabase:
    """A database whose transactions are points."""

    behind: Database
    points: Points

    def read(self) -> Any:
        return self.points.transaction("read", self.behind.read)

    def write(self) -> Any:
        return self.points.transaction("write", self.behind.write)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)


PORTS = (
    "accounts",
    "bulk_accounts",
    "credentials",
    "login_events",
    "admin_events",
    "field_service",
    "mailer",
    "wake",
)
"""What of Systems does I/O, beside its database."""


def watched(systems: Systems, points: Points) -> Systems:
    """The same Systems as one process sees it that will end or freeze at the chosen point."""
    ports: dict[str, Any] = {name: WatchedPort(getattr(systems, name), name, points) for name in PORTS}
    return replace(systems, db=cast("Any", WatchedDatabase(systems.db, points)), **ports)
