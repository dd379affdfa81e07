"""When to look again: pure functions of the number of attempts and a random number that is passed in."""

from __future__ import annotations

from datetime import timedelta

FIRST = timedelta(seconds=2)
LONGEST = timedelta(minutes=10)
HOLD_LOOK = timedelta(minutes=1)
"""How often a held deactivation asks the gate again by itself."""

MISCONFIGURED_LOOK = timedelta(seconds=30)
"""What somebody has to mend: look again steadily, burn no backoff."""

MISCONFIGURED_LONGEST = timedelta(minutes=8)

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


def misconfigured_look(attempts: int, chance: float) -> timedelta:
    """For an account that waits for something to be mended, like a missing group. Steady at first; then rarer, the
    upper half of the span by chance, so that ten thousand that wait for the same do not keep a lane busy."""
    doublings: int = 2 ** min(attempts - 1, 20)
    span = min(MISCONFIGURED_LONGEST, MISCONFIGURED_LOOK * doublings)
    return span / 2 + span / 2 * chance
