"""What administrators do in Keycloak beside us, as a hint of what to look at (G4). It is never the truth: Keycloak
keeps these events only for some time, and not everything is among them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sync.domain.drift.hints import AdminEvent, Author, Name
from sync.domain.logins.event_reading import Keeping


class AdminEvents(Protocol):
    """Every method raises a `Failure` of `sync.domain.errors`."""

    def keeping(self) -> Keeping:
        """Whether Keycloak stores what administrators do, and the time by its clock, to the second."""
        ...

    def since(self, moment: datetime | None) -> Iterator[Sequence[AdminEvent]]:
        """What others than our own service clients changed from that moment on (inclusive, to the millisecond) or
        all that is kept, in pages, ordered by time. An event may come twice; a page may be empty."""
        ...

    def own_changes(self, moment: datetime | None) -> Iterator[Sequence[AdminEvent]]:
        """What people changed of their own details on Keycloak's pages, likewise, as acts on their user."""
        ...

    def names(self, authors: Collection[Author]) -> Mapping[Author, Name]:
        """What people call them: a username, a client. Who cannot be named is left out, and so is a person as whom
        an administrator has acted: what happened then was not the person's."""
        ...
