"""The job that takes what administrators did in Keycloak as a hint of which accounts to look at (G4).

It is never the truth: the look compares everything of the account, and what no event told is found by the full
comparison. What differs is noted, judged and repaired exactly as after a comparison. A flood of events makes one
comparison due instead of thousands of looks; so does an act on somebody who is not ours and has a finding, which
may be over.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sync.commands.waking import wake
from sync.domain.drift.hints import hint_of
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.logins.event_reading import OVERLAP, Keeping, Place, lost_to_expiry, start
from sync.domain.work.lane import Lane
from sync.jobs.drift.accept_by_file import accept_by_file
from sync.jobs.drift.hand_over import HINTS, hand_over
from sync.jobs.drift.judge import Judged, judge
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.store import schedule
from sync.store.accounts import accounts
from sync.store.drift import findings
from sync.store.runs import runs

COMPARISON = "comparison"
"""The name of the job that compares everything."""

LOOKS = 200
"""More accounts than this in one reading are compared together: that takes fewer requests than looking at each."""

BETWEEN_COMPARISONS = timedelta(minutes=5)
"""Hints start a comparison at most this often."""

TOGETHER = 20
"""Accounts that are looked at and written down together."""

REMEMBERED = 2000
"""So many events of the overlap are known again. What is forgotten costs one look more."""


def look_at_admin_events(systems: Systems, keep: KeepLease) -> None:
    """Raises Misconfigured while Keycloak does not store what administrators do; the comparison finds it later."""
    keeping = systems.admin_events.keeping()
    if keeping.missing:
        raise Misconfigured(
            "Keycloak does not store admin events: changes by hand are found by the full comparison only; "
            "run `fsm-identity realm apply`",
            code=FailureCode.REALM_BEHIND,
        )
    place = _place_of(keep.state)
    if place is None or lost_to_expiry(place, keeping) is not None:
        users, everything, recent = set[str](), True, set[str]()
    else:
        users, everything, recent = _hinted(systems, keep, place, keeping)
    flood = len(users) > LOOKS
    with systems.db.read() as tx:
        everything = everything or findings.any_of_users(tx, users)
    judged = Judged() if flood else _looked_at(systems, keep, users)
    accept_by_file(systems, judged.to_accept, keep)
    with systems.db.write() as tx:
        now = systems.clock.now()
        keep.save(
            tx,
            {
                "until": keeping.now.isoformat(),
                "covered_until": keeping.now.isoformat() if flood else keep.state.get("covered_until"),
                "seen": sorted(recent)[:REMEMBERED],
                "again": sorted(judged.left_out)[:LOOKS],
            },
        )
        if everything or flood:
            schedule.hasten(tx, COMPARISON, now, BETWEEN_COMPARISONS)
        hand_over(tx, systems.policy, judged.to_repair, now, HINTS)
    if judged.differing:
        wake(systems, Lane.BULK)


def _looked_at(systems: Systems, keep: KeepLease, users: set[str]) -> Judged:
    """Our accounts among these users, and those of which nothing could be said the last time, because somebody of
    ours was changing them. While changed mapping files are carried out that holds for all."""
    with systems.db.read() as tx:
        ours = sorted({*accounts.of_idp_users(tx, users), *keep.state.get("again", ())})
        wait = runs.being_applied(tx, "mappings")
    if wait:
        return Judged(left_out=frozenset(ours))
    judged = Judged()
    for start_at in range(0, len(ours), TOGETHER):
        judged += judge(systems, keep, ours[start_at : start_at + TOGETHER])
    return judged


def _hinted(systems: Systems, keep: KeepLease, place: Place, keeping: Keeping) -> tuple[set[str], bool, set[str]]:
    """The users and whether everything is hinted at, and the events that the next reading meets again.

    What a comparison covers that was made due after it happened is no hint any more.
    """
    seen = frozenset(keep.state["seen"])
    covered = keep.state["covered_until"]
    covered_until = None if covered is None else datetime.fromisoformat(covered)
    users: set[str] = set()
    everything = False
    recent: set[str] = set()
    for page in systems.admin_events.since(start(place, keeping)):
        hint = hint_of(
            event for event in page if event.id not in seen and (covered_until is None or event.at > covered_until)
        )
        everything = everything or hint.everything
        if len(users) <= LOOKS:
            users |= hint.users
        recent |= {event.id for event in page if event.at >= keeping.now - OVERLAP}
    return users, everything, recent


def _place_of(state: Mapping[str, Any]) -> Place | None:
    return Place(datetime.fromisoformat(state["until"])) if "until" in state else None
