"""Bulk work steps back while somebody waits for one account: an import of ten thousand takes seconds longer, and a
change by hand is in Keycloak at once (J6).

Both want the same Keycloak, the same database and mostly the same processors. A worker of the bulk lane asks
before each request, and before it applies rows, whether something new is due in the interactive lane.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic, sleep

from sync.jobs.systems import Systems
from sync.ports.lease import kept
from sync.store.work import account_claims

FRESH = timedelta(seconds=1)
"""So long after it was wanted bulk work gives way to a change: what takes longer waits for something else, and
bulk work goes on meanwhile."""

LOOK_EVERY = 0.01
"""Seconds between two looks whether it is done."""

LOOK_AGAIN = 0.02
"""Seconds for which the answer that nobody waits is good: small requests follow each other faster."""

LONGEST = 0.5
"""Seconds that one request waits at most, however many changes follow each other: bulk work never stands still."""


@contextmanager
def giving_way(systems: Systems) -> Iterator[None]:
    """`give_way` now, and before each request to a foreign system that is made inside, a moment later or more."""
    give_way(systems)
    looked = monotonic()

    def before_request() -> None:
        nonlocal looked
        if monotonic() - looked >= LOOK_AGAIN:
            give_way(systems)
            looked = monotonic()

    with kept(before_request):
        yield


def give_way(systems: Systems) -> None:
    """Wait while accounts of the interactive lane are on their way. Raises a Failure of our database."""
    until = monotonic() + LONGEST
    while monotonic() < until and _somebody_waits(systems):
        sleep(LOOK_EVERY)


def _somebody_waits(systems: Systems) -> bool:
    now = systems.clock.now()
    with systems.db.read() as tx:
        return account_claims.anybody_waits(tx, now - FRESH, now)
