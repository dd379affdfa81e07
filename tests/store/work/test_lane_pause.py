"""A paused lane: nothing of it is claimed, everything else goes on (H3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from sync.domain.access.cause import Cause
from sync.domain.accounts.account import Account
from sync.domain.work.lane import Lane
from sync.store import schedule
from sync.store.accounts import accounts
from sync.store.database.tables import PAUSABLE
from sync.store.database.transactions import Database
from sync.store.mail import outbox
from sync.store.provisioning import due as provisioning
from sync.store.work import account_claims, lanes
from sync.store.work.lease_rows import Terms
from tests.callers import allowed, granted, wanted_by
from tests.claiming import still_claimed

pytestmark = pytest.mark.supports("H3")

LEASE = timedelta(minutes=1)


def claimed(db: Database, lane: Lane, now: datetime) -> int:
    with db.write() as tx:
        match lane:
            case Lane.MAIL:
                return len(outbox.claim(tx, Terms(now), 10))
            case Lane.RECONCILE:
                return int(schedule.claim(tx, ["comparison"], Terms(now)) is not None)
            case _:
                return len(account_claims.claim(tx, lane, Terms(now), 10))


@pytest.fixture
def due(db: Database, make_account: Callable[..., Account], now: datetime) -> None:
    """Something is due in every lane."""
    with db.write() as tx:
        for lane in (Lane.INTERACTIVE, Lane.BULK):
            person = make_account()
            accounts.insert(tx, granted(person))
            provisioning.mark_due(tx, person.id, lane, now)
        outbox.enqueue(tx, person.id, kind="welcome", recipient=person.email, expires_at=None, now=now)
        outbox.make_due(tx, [still_claimed(person.id)], now)
        schedule.register(tx, ["comparison"], now)


@pytest.mark.usefixtures("due")
@pytest.mark.parametrize("lane", list(Lane))
def test_nothing_of_a_paused_lane_is_claimed_until_it_goes_on(
    db: Database, lane: Lane, now: datetime, by: Cause
) -> None:
    """The other lanes do not notice; after the resume the work is there as it was."""
    with db.write() as tx:
        assert lanes.pause(tx, lane, allowed(by), now)
    assert claimed(db, lane, now) == 0
    assert all(claimed(db, other, now) == 1 for other in Lane if other is not lane)
    with db.write() as tx:
        assert lanes.resume(tx, lane, allowed())
    assert claimed(db, lane, now) == 1


def test_who_paused_first_is_remembered(db: Database, now: datetime, by: Cause) -> None:
    """A second pause changes nothing, and a second resume says that there is nothing to resume."""
    with db.write() as tx:
        assert lanes.pause(tx, Lane.BULK, allowed(by), now)
        assert not lanes.pause(tx, Lane.BULK, allowed(wanted_by("lee", "me too")), now)
        assert lanes.paused(tx) == (lanes.Pause(Lane.BULK, now, "kim", "joins the team"),)
        assert lanes.resume(tx, Lane.BULK, allowed())
        assert not lanes.resume(tx, Lane.BULK, allowed())


def test_every_lane_can_be_paused() -> None:
    """The table knows the lanes that there are."""
    assert set(PAUSABLE) == {lane.value for lane in Lane}
