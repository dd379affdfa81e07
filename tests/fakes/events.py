"""Keycloak's events in memory; the contract suite runs on them and on the real ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sync.domain.drift.hints import AdminEvent
from sync.domain.logins.activity import LoginEvent, LoginKind
from sync.domain.logins.event_reading import Keeping
from sync.ports.lease import before_request
from sync.ports.signals import Clock

E = TypeVar("E", LoginEvent, AdminEvent)
MONTH = timedelta(days=30)
numbers = itertools.count(1)


@dataclass
class _Events(Generic[E]):
    """`ahead`: how much Keycloak's clock is ahead of ours. `missing`: kinds it does not store."""

    clock: Clock
    events: list[E] = field(default_factory=list)
    ahead: timedelta = timedelta()
    missing: tuple[str, ...] = ()
    expires_after: timedelta | None = MONTH
    page: int = 3

    def now(self) -> datetime:
        return self.clock.now() + self.ahead

    def keeping(self) -> Keeping:
        before_request()
        return Keeping(self.now(), self.missing, self.expires_after)

    def since(self, moment: datetime | None) -> Iterator[Sequence[E]]:
        oldest = self.keeping().oldest
        kept = [event for event in self.events if oldest is None or event.at >= oldest]
        found = sorted(
            (event for event in kept if moment is None or event.at >= moment), key=lambda event: event.at
        )
        for begin in range(0, len(found), self.page):
            before_request()
            yield found[begin : begin + self.page]


class FakeLoginEvents(_Events[LoginEvent]):
    def happen(
        self, kind: LoginKind, idp_user_id: str | None, *, ago: float = 0, session: str | None = None
    ) -> LoginEvent:
        """So many seconds ago."""
        at = self.now() - timedelta(seconds=ago)
        event = LoginEvent(f"e{next(numbers)}", at, kind, idp_user_id, session)
        if kind.value not in self.missing:
            self.events.append(event)
        return event


class FakeAdminEvents(_Events[AdminEvent]):
    def happen(self, path: str) -> None:
        self.events.append(AdminEvent(f"a{next(numbers)}", self.now(), path))
