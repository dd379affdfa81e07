"""Pausing and resuming as an operator does: kept in the audit trail, and nobody is woken in vain (H3)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from sync.domain.lane import Lane
from sync.store.tables import audit
from sync.usecases import pause_lane
from sync.usecases.sweep import sweep
from tests.usecases.conftest import BY, World

pytestmark = pytest.mark.req("H3")


def pause(world: World, lane: Lane) -> bool:
    return world.do(lambda tx: pause_lane.pause(tx, lane, BY, world.clock.now()))


def resume(world: World, lane: Lane) -> bool:
    return world.do(lambda tx: pause_lane.resume(tx, lane, BY, world.clock.now()))


def test_paused_work_waits_and_then_goes_on(world: World) -> None:
    """A joiner waits while the lane is paused, the sweep wakes nobody for it, and the resume brings it about."""
    assert pause(world, Lane.INTERACTIVE)
    world.join()
    world.work()
    assert not world.accounts.users
    assert Lane.INTERACTIVE not in sweep(world.site)
    assert resume(world, Lane.INTERACTIVE)
    assert Lane.INTERACTIVE in sweep(world.site)
    world.work()
    assert len(world.accounts.users) == 1


def test_who_paused_and_why_is_kept(world: World) -> None:
    """Both acts are in the audit trail, once: what changed nothing is not."""
    pause(world, Lane.BULK)
    pause(world, Lane.BULK)
    resume(world, Lane.BULK)
    resume(world, Lane.BULK)
    rows = world.read(lambda tx: tx.connection.execute(select(audit).order_by(audit.c.id)).all())
    assert [(row.action, row.after, row.actor, row.reason) for row in rows] == [
        ("lane paused", {"lane": "bulk"}, BY.name, BY.reason),
        ("lane resumed", {"lane": "bulk"}, BY.name, BY.reason),
    ]
