"""The job that reads logins and failed attempts from Keycloak's events (A9): no request per user, nothing lost by
a restart, and what may have been missed is written down.

Each page and the place reached are one commit, guarded by the job's lease.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from sync.commands.waking import wake
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.logins.activity import LOCKED, LoginEvent, of_the_person
from sync.domain.logins.event_reading import (
    Gap,
    Keeping,
    Newest,
    Place,
    is_late,
    lost_to_expiry,
    lost_to_removal,
    not_kept,
    start,
)
from sync.domain.operations import RECENT
from sync.domain.work.lane import Lane
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.store import logins
from sync.store.accounts import pages
from sync.store.database.transactions import Tx
from sync.store.provisioning import due, observations

EVER = datetime(1970, 1, 1, tzinfo=UTC)
BEFORE = "before the first events that Keycloak had kept"

log = structlog.get_logger()


def read_logins(systems: Systems, keep: KeepLease) -> None:
    """Read on from a little before the place of the last run. Raises Misconfigured while Keycloak does not store
    logins: the gap grows until it does."""
    keeping = systems.login_events.keeping()
    ahead = keeping.now - systems.clock.now()
    place = place_of(keep.state)
    if place is not None and is_late(place, keeping):
        log.warning("logins were not read for long; Keycloak will delete some unread", read_until=place.until)
    with systems.db.write() as tx:
        claimed = keep.claimed(tx)
        for gap in (lost_to_expiry(place, keeping), not_kept(place, keeping)):
            if gap is not None:
                logins.add_gap(tx, claimed, gap)
    if keeping.missing:
        raise Misconfigured(
            f"Keycloak does not store the events {', '.join(keeping.missing)}: logins go by unseen; "
            "run `fsm-identity realm apply`",
            code=FailureCode.REALM_BEHIND,
        )
    _read(systems, keep, place, keeping, ahead)


def _read(systems: Systems, keep: KeepLease, place: Place | None, keeping: Keeping, ahead: timedelta) -> None:
    """The newest event known stays the one of the last whole run until this one is through: only then it is clear
    whether it is still there."""
    before = None if place is None else place.newest
    newest, found = before, before is None
    reached = None if place is None else place.until
    locked = False
    impersonated = impersonated_of(systems, keep.state)
    for page in systems.login_events.since(start(place, keeping)):
        found = found or any(before is not None and event.id == before.id for event in page)
        newest = _newer(newest, page[-1])
        begun = reached is None
        reached = min(keeping.now, page[-1].at if reached is None else max(reached, page[-1].at))
        own, impersonated = of_the_person(page, impersonated)
        with systems.db.write() as tx:
            now = systems.clock.now()
            claimed = keep.save(tx, state_of(Place(reached, before), keeping, now, impersonated))
            logins.take(tx, claimed, own)
            locked |= _look_at_locked(tx, page, ahead, systems.clock.now())
            if begun:
                logins.add_gap(tx, claimed, Gap(EVER, page[0].at, BEFORE))
    if locked:
        wake(systems, Lane.INTERACTIVE)
    removed = lost_to_removal(place, keeping, newest_seen=found)
    with systems.db.write() as tx:
        claimed = keep.save(tx, state_of(Place(keeping.now, newest), keeping, systems.clock.now(), impersonated))
        if reached is None:
            logins.add_gap(tx, claimed, Gap(EVER, keeping.now, BEFORE))
        if removed is not None:
            logins.add_gap(tx, claimed, removed)
        logins.forget_failures(tx, claimed, min(start(place, keeping) or EVER, keeping.now - RECENT))


def _look_at_locked(tx: Tx, page: Sequence[LoginEvent], ahead: timedelta, now: datetime) -> bool:
    """Whoever was locked out since somebody last looked is looked at, for the event does not say until when (C5).
    `ahead`: how much Keycloak's clock, which the events go by, is ahead of ours. True: somebody was."""
    locked_at = {str(event.idp_user_id): event.at - ahead for event in page if event.kind in LOCKED}
    ours = pages.of_users(tx, locked_at)
    seen_at = observations.seen_at(tx, ours.values())
    unseen = [
        account_id
        for user, account_id in ours.items()
        if account_id not in seen_at or seen_at[account_id] <= locked_at[user]
    ]
    due.look_again_many(tx, unseen, Lane.INTERACTIVE, now)
    return bool(unseen)


def state_of(
    place: Place, keeping: Keeping, now: datetime, impersonated: Mapping[str, datetime]
) -> dict[str, Any]:
    """What is kept for the next run, and for the status: how old the place may become, how much Keycloak's clock
    is ahead of ours, and in which sessions administrators act as somebody else."""
    newest, expires = place.newest, keeping.expires_after
    return {
        "until": place.until.isoformat(),
        "newest": None if newest is None else {"id": newest.id, "at": newest.at.isoformat()},
        "expires_after_seconds": None if expires is None else expires.total_seconds(),
        "clock_ahead_seconds": round((keeping.now - now).total_seconds()),
        "impersonated": {session: at.isoformat() for session, at in impersonated.items()},
    }


def impersonated_of(systems: Systems, state: Mapping[str, Any]) -> Mapping[str, datetime]:
    """The sessions of the runs before that may still be open."""
    sessions = systems.policy.realm.sessions
    longest = timedelta(seconds=max(sessions.max_seconds, sessions.offline_idle_seconds))
    begun = {session: datetime.fromisoformat(at) for session, at in state.get("impersonated", {}).items()}
    return {session: at for session, at in begun.items() if systems.clock.now() - at <= longest}


def place_of(state: Mapping[str, Any]) -> Place | None:
    """None: nothing was read yet."""
    if "until" not in state:
        return None
    newest = state["newest"]
    return Place(
        datetime.fromisoformat(state["until"]),
        None if newest is None else Newest(newest["id"], datetime.fromisoformat(newest["at"])),
    )


def _newer(known: Newest | None, event: LoginEvent) -> Newest:
    return known if known is not None and known.at > event.at else Newest(event.id, event.at)
