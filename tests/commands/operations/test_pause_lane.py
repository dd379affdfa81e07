"""Pausing and resuming as an operator does: kept in the audit trail, and nobody is woken in vain (H3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.commands.operations import circuits as steer_circuit
from sync.commands.operations import lanes as pause_lane
from sync.domain.errors import Refused
from sync.domain.work.circuit import CircuitName
from sync.domain.work.lane import Lane
from sync.jobs.schedule.sweep import sweep
from sync.store.database.tables import audit
from sync.store.work import circuits, lanes
from tests.world import BY, World

pytestmark = pytest.mark.supports("H3")


def pause(world: World, lane: Lane) -> bool:
    return world.do(lambda tx: pause_lane.pause(tx, None, lane, BY, world.clock.now()))


def resume(world: World, lane: Lane) -> bool:
    return world.do(lambda tx: pause_lane.resume(tx, None, lane, BY, world.clock.now()))


def test_paused_work_waits_and_then_goes_on(world: World) -> None:
    """A joiner waits while the lane is paused, the sweep wakes nobody for it, and the resume brings it about."""
    assert pause(world, Lane.INTERACTIVE)
    world.join()
    world.work()
    assert not world.accounts.users
    assert Lane.INTERACTIVE not in sweep(world.systems)
    assert resume(world, Lane.INTERACTIVE)
    assert Lane.INTERACTIVE in sweep(world.systems)
    world.work()
    assert len(world.accounts.users) == 1


def test_nobody_pauses_or_steers_without_a_reason(world: World) -> None:
    """Nothing of it is done: the lane works, and no circuit is open."""
    silent, now = replace(BY, reason=""), world.clock.now()
    for act in (
        lambda tx: pause_lane.pause(tx, None, Lane.BULK, silent, now),
        lambda tx: steer_circuit.leave_alone(tx, None, CircuitName.FSM, timedelta(hours=1), silent, now),
        lambda tx: steer_circuit.close(tx, None, CircuitName.FSM, silent, now),
    ):
        with pytest.raises(Refused, match="reason: is missing"):
            world.do(act)
    assert not world.read(lambda tx: lanes.is_paused(tx, Lane.BULK))
    assert world.read(lambda tx: circuits.get(tx, CircuitName.FSM)).closed


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
