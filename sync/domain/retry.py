"""When to look again: pure functions of the number of attempts and a random number that is passed in."""

from __future__ import annotations

from datetime import timedelta

FIRST = timedelta(seconds=2)
LONGEST = timedelta(minutes=10)
HOLD_LOOK = timedelta(minutes=1)
"""How often a held deactivation asks the gate again by itself."""

MISCONFIGURED_LOOK = timedelta(seconds=30)
"""Wrong credentials or a missing role fail every account alike: look again steadily, burn no backoff."""

AFTER_TAKEOVER = timedelta(seconds=30)
"""How long a write of a worker that lost its lease may still be on its way: longer than one request may take
(settings: at most 25 s)."""


def backoff(attempts: int, chance: float) -> timedelta:
    """Full jitter: a uniform share of an exponentially growing span. `chance` is in [0, 1).

    `attempts` counts the failures in a row so far, at least 1. Never less than a tenth of the first span, so
    that a failure never spins.
    """
    doublings: int = 2 ** min(attempts - 1, 20)
    span = min(LONGEST, FIRST * doublings)
    return max(FIRST / 10, span * chance)
