"""Having workers look at the realm once somebody has mended it: what operators were told of it is over at once."""

from __future__ import annotations

from datetime import timedelta

from sync.commands.waking import wake
from sync.desk import BareDesk
from sync.domain.work.lane import Lane
from sync.store import schedule


def look_at_realm_soon(desk: BareDesk) -> None:
    """The job that watches over the realm is due now, and a worker is told. Nothing that is wanted changes, so
    nobody is asked whether they may."""
    with desk.db.write() as tx:
        schedule.hasten(tx, schedule.REALM, desk.clock.now(), timedelta(0))
    wake(desk, Lane.RECONCILE)
