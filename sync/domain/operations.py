"""Whether people can log in, as far as a question to Keycloak every few seconds tells (H3, H6). Pure.

The question is asked by whichever worker sweeps (`sync.jobs.operations`); operators read the last answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

ASKED_EVERY: Final = timedelta(seconds=10)
"""How often Keycloak is asked."""

TOO_OLD: Final = timedelta(seconds=30)
"""Two questions that did not come: from then on nobody knows."""

RECENT: Final = timedelta(minutes=10)
"""Failed logins are counted so far back."""


TICK_EVERY: Final = timedelta(seconds=5)
"""How often the beat says that it ticks, and sends a sweep."""

TICKS_MISSED: Final = 6 * TICK_EVERY
"""So long without a word, and the beat is away: longer than a Redis that it waits for once."""


@dataclass(frozen=True, slots=True)
class LoginProbe:
    """The last answer. `since` is when it began to be so, whether Keycloak answers or not; `reason` is why it does
    not, None: it answers."""

    asked_at: datetime
    since: datetime
    reason: str | None = None

    @property
    def answers(self) -> bool:
        return self.reason is None

    def is_old(self, now: datetime) -> bool:
        return now - self.asked_at > TOO_OLD


def asked(before: LoginProbe | None, reason: str | None, now: datetime) -> LoginProbe:
    """After one more question. Another reason of the same silence begins nothing new."""
    goes_on = before is not None and before.answers == (reason is None)
    return LoginProbe(now, before.since if before is not None and goes_on else now, reason)


@dataclass(frozen=True, slots=True)
class RecentFailures:
    """Failed logins within `RECENT`, and of how many users."""

    attempts: int = 0
    users: int = 0


@dataclass(frozen=True, slots=True)
class LockedOut:
    """People with an active account whom Keycloak's lockout keeps out, as they were last seen."""

    for_a_time: int = 0
    for_good: int = 0
