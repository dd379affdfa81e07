"""A clock that stands until it is moved, and wakes that are only counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sync.domain.errors import Transient
from sync.domain.work.lane import Lane


@dataclass
class FakeClock:
    time: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by


@dataclass
class FakeWake:
    """`down`: the broker cannot be reached."""

    woken: list[Lane] = field(default_factory=list)
    down: bool = False

    def wake(self, lane: Lane) -> None:
        if self.down:
            raise Transient("the broker does not answer")
        self.woken.append(lane)
