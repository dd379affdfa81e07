"""Whether people can log in is asked every few seconds, whatever else is wrong (H3, H6)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from sync.domain.operations import LoginProbe
from sync.domain.work.lane import Lane
from sync.jobs.schedule.sweep import come_round
from sync.store import schedule
from sync.store.database.tables import schedule as schedule_table
from sync.store.operations import heartbeats, login_probe
from sync.store.operations.heartbeats import Worker
from sync.store.work import lanes
from tests.callers import allowed, wanted_by
from tests.world import World

pytestmark = pytest.mark.supports("H3", "H6")

SWEEP = 5.0


def told(world: World) -> LoginProbe | None:
    return world.read(lambda tx: login_probe.of_jobs(schedule.all_jobs(tx)))


def rounds(world: World, number: int) -> None:
    for _ in range(number):
        world.pass_time(SWEEP)
        come_round(world.systems)


def test_each_answer_is_kept_with_since_when_it_is_so(world: World) -> None:
    """A silence begins once, whatever its reasons, and ends at once."""
    assert told(world) is None
    come_round(world.systems)
    begin = world.clock.now()
    assert told(world) == LoginProbe(begin, begin)
    world.answering.reason = "no answer within 3 s"
    rounds(world, 2)
    silent = told(world)
    assert silent == LoginProbe(world.clock.now(), world.clock.now(), "no answer within 3 s")
    world.answering.reason = "not reachable (ConnectionError)"
    rounds(world, 2)
    assert told(world) == LoginProbe(world.clock.now(), silent.since, "not reachable (ConnectionError)")
    world.answering.reason = None
    rounds(world, 2)
    assert told(world) == LoginProbe(world.clock.now(), world.clock.now())


def test_it_is_asked_with_every_second_sweep(world: World) -> None:
    """Every ten seconds, not more often, however many sweep."""
    come_round(world.systems)
    for number in range(1, 13):
        rounds(world, 1)
        come_round(world.systems)
        assert world.answering.questions == 1 + number // 2


def test_a_paused_lane_keeps_nobody_from_asking(world: World) -> None:
    """Nor do the other jobs of the schedule."""
    with world.systems.db.write() as tx:
        for lane in Lane:
            lanes.pause(tx, lane, allowed(wanted_by("kim", "the night of the move")), world.clock.now())
    come_round(world.systems)
    rounds(world, 2)
    assert world.answering.questions == 2


def test_a_worker_that_could_not_work_tries_again_with_the_next_sweep(world: World) -> None:
    """With nothing due in its lane too: what it said of Keycloak is over when Keycloak is back."""
    now = world.clock.now()
    with world.systems.db.write() as tx:
        heartbeats.beat(tx, Worker("bulk@north", "north", 7, ("bulk",), now, now))
        heartbeats.note_trouble(tx, "bulk@north", "Keycloak at http://127.0.0.1:9: not reachable (sign-in)")
    world.wake.woken.clear()
    come_round(world.systems)
    assert Lane.BULK in world.wake.woken
    with world.systems.db.write() as tx:
        heartbeats.note_trouble(tx, "bulk@north", None)
    world.wake.woken.clear()
    rounds(world, 1)
    assert Lane.BULK not in world.wake.woken


def test_jobs_that_failed_meanwhile_are_due_when_it_answers_again(world: World) -> None:
    """What they told stands on the page until they have run; what a person has to mend does not come sooner."""
    later = world.clock.now() + timedelta(minutes=10)
    with world.systems.db.write() as tx:
        schedule.register(tx, ["reading", "other", "fine"], later)
        for name, kind in (("reading", "transient"), ("other", "misconfigured")):
            row = update(schedule_table).where(schedule_table.c.name == name)
            tx.connection.execute(row.values(error_kind=kind, error="the last run failed"))
    world.answering.reason = "no answer within 3 s"
    rounds(world, 4)
    assert due_at(world) == {"reading": later, "other": later, "fine": later}
    world.answering.reason = None
    rounds(world, 2)
    after = due_at(world)
    assert after.pop("reading") <= world.clock.now()
    assert after == {"other": later, "fine": later}


def due_at(world: World) -> dict[str, datetime]:
    found = world.read(schedule.all_jobs)
    return {each.name: each.due_at for each in found if each.name in ("reading", "other", "fine")}


def test_only_a_recent_answer_counts(world: World) -> None:
    """Half a minute without a question, and nobody knows."""
    now = world.clock.now()
    probe = LoginProbe(now, now)
    assert not probe.is_old(now + timedelta(seconds=30))
    assert probe.is_old(now + timedelta(seconds=31))
