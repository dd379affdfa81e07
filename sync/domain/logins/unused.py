"""Whether an account is used at all: no login or token refresh for so many days, or never since it was made (D8).
Pure.

Where logins may have been missed it is not known, and that is told apart from never.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sync.domain.logins.activity import LoginActivity
from sync.domain.logins.event_reading import Gap


class Use(StrEnum):
    """`UNKNOWN`: it may have been used within the time, in a gap."""

    UNUSED = "unused"
    NEVER = "never"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an account may go unused, and how long it may wait for its first login."""

    unused: timedelta
    never_activated: timedelta


def use_of(
    activity: LoginActivity, made_at: datetime, gaps: Iterable[Gap], patience: Patience, now: datetime
) -> Use | None:
    """None: it is used, or not old enough to say. A refresh is a use: the mobile app goes on for weeks by it."""
    used = [at for at in (activity.last_login_at, activity.last_used_at) if at is not None]
    if used:
        oldest = now - patience.unused
        if max(used) >= oldest:
            return None
        return Use.UNKNOWN if any(gap.ends > oldest for gap in gaps) else Use.UNUSED
    if made_at >= now - patience.never_activated:
        return None
    return Use.UNKNOWN if any(gap.ends > made_at for gap in gaps) else Use.NEVER
