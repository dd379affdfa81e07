"""Keycloak's events in memory; the contract suite runs on them and on the real ones."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sync.domain.drift.hints import AdminEvent, Author, Name
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


SOMEBODY = Author("somebody")


@dataclass
class FakeAdminEvents(_Events[AdminEvent]):
    """`usernames` of those who did something, and `clients` that did, by the ids of their users; `acted_as`: as
    whom administrators acted."""

    own: list[AdminEvent] = field(default_factory=list)
    usernames: dict[str, str] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=dict)
    acted_as: set[str] = field(default_factory=set)

    def happen(self, path: str, by: Author = SOMEBODY) -> None:
        self.events.append(AdminEvent(f"a{next(numbers)}", self.now(), path, by))

    def change_own(self, idp_user_id: str) -> None:
        by = Author(idp_user_id, themself=True)
        self.own.append(AdminEvent(f"o{next(numbers)}", self.now(), f"users/{idp_user_id}", by))

    def own_changes(self, moment: datetime | None) -> Iterator[Sequence[AdminEvent]]:
        before_request()
        yield [each for each in self.own if moment is None or each.at >= moment]

    def names(self, authors: Collection[Author]) -> Mapping[Author, Name]:
        named = {each: self._name(each) for each in authors}
        return {author: name for author, name in named.items() if name is not None}

    def _name(self, author: Author) -> Name | None:
        before_request()
        if author.user_id is None:
            return Name("an administrator of another realm")
        if author.themself:
            return None if author.user_id in self.acted_as else Name("the person")
        if author.user_id in self.clients:
            return Name(f"the client {self.clients[author.user_id]}", program=True)
        return Name(self.usernames.get(author.user_id, f"a user that is gone since ({author.user_id})"))
