"""Reading Keycloak's events without a cursor: from where, and what may have been missed. Pure.

Events are read from a little before the place reached last time to the end; their times are Keycloak's, and so is
the place. What was not kept long enough, or not at all, is a gap that is written down: unknown is not never (A9).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

OVERLAP = timedelta(seconds=120)
"""An event gets its time before it is stored, and several Keycloaks have several clocks: so much is read again."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What Keycloak keeps just now. `now` is the time by its clock; `missing` are the kinds of events of ours that
    it does not store; `expires_after` None: events are kept for ever."""

    now: datetime
    missing: tuple[str, ...]
    expires_after: timedelta | None

    @property
    def oldest(self) -> datetime | None:
        """Events before this are gone, or may go at any moment."""
        return None if self.expires_after is None else self.now - self.expires_after


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest event that was read."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """How far the reading has come. Everything before `until` was read; `newest` None: there was no event yet."""

    until: datetime
    newest: Newest | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Events between the two may have been missed."""

    begins: datetime
    ends: datetime
    reason: str


def start(place: Place | None, keeping: Keeping) -> datetime | None:
    """From when to read; None: from the oldest event there is.

    Not later than the newest event known, so that its absence shows that events were removed; and where Keycloak's
    clock was put back, from before the time it shows now.
    """
    if place is None:
        return keeping.oldest
    begins = min(place.until, keeping.now) - OVERLAP
    return begins if place.newest is None else min(begins, place.newest.at)


def lost_to_expiry(place: Place | None, keeping: Keeping) -> Gap | None:
    """What was deleted before anybody read it."""
    if place is None or keeping.oldest is None or place.until >= keeping.oldest:
        return None
    return Gap(place.until, keeping.oldest, "Keycloak deleted the events before they were read")


def lost_to_removal(place: Place | None, keeping: Keeping, *, newest_seen: bool) -> Gap | None:
    """The newest event known is not there any more although it is not old: somebody removed events, or Keycloak's
    database is one of before."""
    if place is None or place.newest is None or newest_seen:
        return None
    if keeping.oldest is not None and place.newest.at <= keeping.oldest:
        return None
    return Gap(min(place.until, place.newest.at), keeping.now, "events were removed in Keycloak")


def not_kept(place: Place | None, keeping: Keeping) -> Gap | None:
    """While Keycloak does not store events nobody can know; the gap grows until it does."""
    if not keeping.missing:
        return None
    begins = keeping.now if place is None else min(place.until, keeping.now)
    return Gap(begins, keeping.now, f"Keycloak did not store {', '.join(keeping.missing)}")


def is_late(place: Place, keeping: Keeping) -> bool:
    """Half of the time that events are kept has passed since the last reading: soon some are lost."""
    return keeping.expires_after is not None and keeping.now - place.until > keeping.expires_after / 2
