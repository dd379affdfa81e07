"""The job that takes what administrators did in Keycloak as a hint of which accounts to look at (G4).

It is never the truth: the look compares everything of the account, and what no event told is found by the full
comparison. What differs is noted, judged and repaired exactly as after a comparison, and who did it is noted with
it. A flood of events makes one comparison due instead of thousands of looks; so does an act on somebody who is not
ours and has a finding, which may be over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sync.commands.waking import wake
from sync.domain.drift.hints import AdminEvent, hint_of
from sync.domain.drift.touches import Touch, UserEvent, of_users
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.logins.event_reading import OVERLAP, Keeping, Place, lost_to_expiry, start
from sync.domain.work.lane import Lane
from sync.jobs.drift.accept_by_file import accept_by_file
from sync.jobs.drift.hand_over import HINTS, hand_over
from sync.jobs.drift.judge import Judged, judge
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.store import schedule
from sync.store.accounts import accounts, pages
from sync.store.drift import findings, touches
from sync.store.drift.touches import NewTouch
from sync.store.runs import runs

COMPARISON = "comparison"
"""The name of the job that compares everything."""

LOOKS = 200
"""More accounts than this in one reading are compared together: that takes fewer requests than looking at each."""

BETWEEN_COMPARISONS = timedelta(minutes=5)
"""Hints start a comparison at most this often."""

UNSETTLED = timedelta(seconds=10)
"""Whom an event touched that is younger than this is looked at once more at the next reading: Keycloak tells the
event a moment before its cache shows the change (fact: events-come-before-the-change), and whose user it is, is
written down a moment after it was made."""

TOGETHER = 20
"""Accounts that are looked at and written down together."""

REMEMBERED = 2000
"""So many events of the overlap are known again. What is forgotten costs one look more."""

MOST_TOUCHES = 5000
"""Of so many events of one reading it is kept who did it, the last ones."""


@dataclass
class _Read:
    """What one reading tells: the users to look at, or `everything`, and what was done to users by whom; `recent`
    are the events that the next reading meets again, `unsettled` the users to look at then once more."""

    users: set[str] = field(default_factory=set)
    unsettled: set[str] = field(default_factory=set)
    everything: bool = False
    done: deque[UserEvent] = field(default_factory=lambda: deque(maxlen=MOST_TOUCHES))
    recent: set[str] = field(default_factory=set)


def look_at_admin_events(systems: Systems, keep: KeepLease) -> None:
    """Raises Misconfigured while Keycloak does not store what administrators do; the comparison finds it later."""
    begun = systems.clock.now()
    keeping = systems.admin_events.keeping()
    if keeping.missing:
        raise Misconfigured(
            "Keycloak does not store admin events: changes by hand are found by the full comparison only; "
            "run `fsm-identity realm apply`",
            code=FailureCode.REALM_BEHIND,
        )
    place = _place_of(keep.state)
    if place is None or lost_to_expiry(place, keeping) is not None:
        read = _Read(everything=True)
    else:
        read = _hinted(systems, keep, place, keeping)
    flood = len(read.users) > LOOKS
    with systems.db.read() as tx:
        everything = read.everything or findings.any_of_users(tx, read.users)
        unsettled = accounts.of_idp_users(tx, read.unsettled)
    judged, ours = (Judged(), set[str]()) if flood else _looked_at(systems, keep, read.users)
    touched = _touched(systems, read, keeping.now - begun, begun)
    with systems.db.write() as tx:
        claimed = keep.claimed(tx)
        touches.keep(tx, claimed, touched)
        touches.forget(tx, claimed, begun, ours, but=judged.unjudged.union(unsettled))
    accept_by_file(systems, judged.to_accept, keep)
    with systems.db.write() as tx:
        now = systems.clock.now()
        keep.save(
            tx,
            {
                "until": keeping.now.isoformat(),
                "covered_until": keeping.now.isoformat() if flood else keep.state.get("covered_until"),
                "seen": sorted(read.recent)[:REMEMBERED],
                "again": sorted(judged.left_out)[:LOOKS],
                "unsettled": [] if flood else sorted(read.unsettled),
            },
        )
        if everything or flood:
            schedule.hasten(tx, COMPARISON, now, BETWEEN_COMPARISONS)
        hand_over(tx, systems.policy, judged.to_repair, now, HINTS)
    if judged.differing:
        wake(systems, Lane.BULK)


def _looked_at(systems: Systems, keep: KeepLease, users: set[str]) -> tuple[Judged, set[str]]:
    """Our accounts among these users and those who were not settled the last time; and the accounts of which
    nothing could be said then, because somebody of ours was changing them. Their ids are returned too. While
    changed mapping files are carried out nothing can be said of any."""
    with systems.db.read() as tx:
        touched = accounts.of_idp_users(tx, users.union(keep.state.get("unsettled", ())))
        ours = sorted({*touched, *keep.state.get("again", ())})
        wait = runs.being_applied(tx, "mappings")
    if wait:
        return Judged(left_out=frozenset(ours)), set(ours)
    judged = Judged()
    for start_at in range(0, len(ours), TOGETHER):
        judged += judge(systems, keep, ours[start_at : start_at + TOGETHER])
    return judged, set(ours)


def _touched(systems: Systems, read: _Read, ahead: timedelta, begun: datetime) -> list[NewTouch]:
    """Who did what to accounts of ours. By our clock, and not after it was read."""
    with systems.db.read() as tx:
        owners = pages.of_users(tx, {each.idp_user_id for each in read.done})
    done = [each for each in read.done if each.idp_user_id in owners]
    names = systems.admin_events.names({each.author for each in done})
    return [
        NewTouch(
            each.event_id,
            owners[each.idp_user_id],
            Touch(min(each.at - ahead, begun), each.part, name.text, by_program=name.program),
        )
        for each in done
        if (name := names.get(each.author)) is not None
    ]


def _hinted(systems: Systems, keep: KeepLease, place: Place, keeping: Keeping) -> _Read:
    """What a comparison covers that was made due after it happened is no hint any more."""
    seen = frozenset(keep.state["seen"])
    covered = keep.state["covered_until"]
    covered_until = None if covered is None else datetime.fromisoformat(covered)
    read = _Read()
    for page in _pages(systems, start(place, keeping)):
        fresh = [
            event for event in page if event.id not in seen and (covered_until is None or event.at > covered_until)
        ]
        hint = hint_of(fresh)
        read.everything = read.everything or hint.everything
        if len(read.users) <= LOOKS:
            read.users |= hint.users
            read.unsettled |= hint_of(each for each in fresh if each.at > keeping.now - UNSETTLED).users
        read.done.extend(of_users(fresh))
        read.recent |= {event.id for event in page if event.at >= keeping.now - OVERLAP}
    return read


def _pages(systems: Systems, moment: datetime | None) -> Iterator[Sequence[AdminEvent]]:
    """What administrators did, and what people did to their own details."""
    yield from systems.admin_events.since(moment)
    yield from systems.admin_events.own_changes(moment)


def _place_of(state: Mapping[str, Any]) -> Place | None:
    return Place(datetime.fromisoformat(state["until"])) if "until" in state else None
