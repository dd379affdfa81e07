"""The job that takes what administrators did in Keycloak as a hint of which accounts to look at (G4).

It is never the truth: the look compares everything of the account, and what no event told is found by the full
comparison. A flood of events makes one comparison due instead of thousands of looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sync.domain.admin_hints import hint_of
from sync.domain.errors import Misconfigured
from sync.domain.event_reading import OVERLAP, Keeping, Place, lost_to_expiry, start
from sync.domain.lane import Lane
from sync.store import accounts, jobs, provisioning
from sync.store.database import Tx
from sync.usecases.command import wake
from sync.usecases.job import KeepLease
from sync.usecases.site import Site

COMPARISON = "comparison"
"""The name of the job that compares everything."""

LOOKS = 200
"""More accounts than this in one reading are compared together: that takes fewer requests than looking at each."""

BETWEEN_COMPARISONS = timedelta(minutes=5)
"""Hints start a comparison at most this often."""

REMEMBERED = 2000
"""So many events of the overlap are known again. What is forgotten costs one look more."""


def look_at_admin_events(site: Site, keep: KeepLease) -> None:
    """Raises Misconfigured while Keycloak does not store what administrators do; the comparison finds it later."""
    keeping = site.admin_events.keeping()
    if keeping.missing:
        raise Misconfigured(
            "Keycloak does not store admin events: changes by hand are found by the full comparison only; "
            "run `fsm-identity realm apply`"
        )
    place = _place_of(keep.state)
    if place is None or lost_to_expiry(place, keeping) is not None:
        users, everything, recent = set[str](), True, set[str]()
    else:
        users, everything, recent = _hinted(site, keep, place, keeping)
    with site.db.write() as tx:
        covered = keeping.now.isoformat() if len(users) > LOOKS else keep.state.get("covered_until")
        keep.save(
            tx,
            {
                "until": keeping.now.isoformat(),
                "covered_until": covered,
                "seen": sorted(recent)[:REMEMBERED],
            },
        )
        looks = _make_due(site, tx, users, everything=everything)
    if looks:
        wake(site, Lane.BULK)


def _hinted(site: Site, keep: KeepLease, place: Place, keeping: Keeping) -> tuple[set[str], bool, set[str]]:
    """The users and whether everything is hinted at, and the events that the next reading meets again.

    What a comparison covers that was made due after it happened is no hint any more.
    """
    seen = frozenset(keep.state["seen"])
    covered = keep.state["covered_until"]
    covered_until = None if covered is None else datetime.fromisoformat(covered)
    users: set[str] = set()
    everything = False
    recent: set[str] = set()
    for page in site.admin_events.since(start(place, keeping)):
        keep()
        hint = hint_of(
            event for event in page if event.id not in seen and (covered_until is None or event.at > covered_until)
        )
        everything = everything or hint.everything
        if len(users) <= LOOKS:
            users |= hint.users
        recent |= {event.id for event in page if event.at >= keeping.now - OVERLAP}
    return users, everything, recent


def _make_due(site: Site, tx: Tx, users: set[str], *, everything: bool) -> int:
    """Answers how many accounts are due for a look."""
    now = site.clock.now()
    if everything or len(users) > LOOKS:
        jobs.hasten(tx, COMPARISON, now, BETWEEN_COMPARISONS)
    if len(users) > LOOKS:
        return 0
    ours = accounts.of_idp_users(tx, users)
    return sum(provisioning.look_again(tx, account_id, Lane.BULK, now) for account_id in ours)


def _place_of(state: Mapping[str, Any]) -> Place | None:
    return Place(datetime.fromisoformat(state["until"])) if "until" in state else None
