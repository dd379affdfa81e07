"""Workers chain what was committed, whatever is paused, and hand the head to whoever keeps it (G1)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from sync.domain.audit.link import Head
from sync.domain.audit.verifying import verify
from sync.domain.errors import Transient
from sync.domain.work.lane import Lane
from sync.jobs import audit as chaining
from sync.jobs.schedule.run_jobs import run_due_job
from sync.jobs.schedule.sweep import come_round
from sync.store import schedule
from sync.store.audit import chain
from sync.store.operations import figures
from sync.store.work import lanes
from sync.views.operations.troubles import of_figures
from tests.callers import allowed
from tests.world import BY, World

pytestmark = pytest.mark.supports("G1")


@dataclass
class Kept:
    """Keeps heads in memory; `away`: it does not answer."""

    away: bool = False
    heads: list[Head] = field(default_factory=list)

    def keep(self, head: Head, at: datetime) -> None:
        if self.away:
            raise Transient(f"away at {at}")
        self.heads.append(head)


def unchained(world: World) -> int:
    return world.read(chain.waiting).count


def test_each_sweep_chains_what_was_committed(world: World) -> None:
    """Also while the lane of the other periodic jobs is paused."""
    with world.systems.db.write() as tx:
        lanes.pause(tx, Lane.RECONCILE, allowed(BY), world.clock.now())
    world.join()
    assert unchained(world) == 1
    come_round(world.systems)
    assert unchained(world) == 0
    found = world.read(lambda tx: verify(chain.links(tx), {}, chain.strangers(tx)))
    assert (found.whole, found.head.number) == (True, 1)
    world.join("ann.berg")
    world.pass_time(5)
    come_round(world.systems)
    assert unchained(world) == 0


def test_a_backlog_is_worked_off_in_turns(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run takes so many pages and no more; the next goes on behind it."""
    monkeypatch.setattr(chain, "PAGE", 1)
    monkeypatch.setattr(chaining, "AT_A_TURN", 2)
    for name in ("ann.berg", "ben.lund", "cleo.hall"):
        world.join(name)
    come_round(world.systems)
    assert unchained(world) == 1
    world.pass_time(5)
    come_round(world.systems)
    assert unchained(world) == 0
    assert world.read(chain.head).number == 3


def test_what_waits_too_long_is_told(world: World) -> None:
    """After a minute, with its number and since when."""
    world.join()
    world.pass_time(61)
    seen = world.read(lambda tx: figures.read(tx, world.clock.now()))
    [told] = [each for each in of_figures(seen) if "audit" in each.what]
    assert told.what == "1 audit entry not chained yet"
    assert told.since == world.clock.now() - timedelta(seconds=61)


def test_the_head_is_kept_elsewhere_when_it_has_moved(world: World) -> None:
    """By each place; one that is away is a failing job, and gets it later."""
    first, second = Kept(away=True), Kept()
    systems = replace(world.systems, anchors=(first, second))

    def run() -> None:
        world.pass_time(400)
        assert run_due_job(systems, chaining.ANCHORING, None) == 1

    world.join()
    come_round(world.systems)
    head = world.read(chain.head)
    run()
    assert (first.heads, second.heads) == ([], [head])
    [failing] = [each for each in world.read(schedule.all_jobs) if each.name == "audit-anchor"]
    assert failing.error is not None
    first.away = False
    run()
    run()
    assert (first.heads, second.heads) == ([head], [head, head])
