"""`fsm-identity work-orders reassign` as a person types it: stored, moved by a worker, watched (D5)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest
from typer.testing import CliRunner

from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.work.lease import LEASE
from sync.entrypoints.cli import app, deactivation
from sync.store.accounts import accounts
from sync.store.audit.timeline import read_timeline
from tests.entrypoints.cli.conftest import Run, done, told
from tests.fakes.field_service import WorkOrder
from tests.world import World

pytestmark = pytest.mark.req("D5", "I3")

REASSIGN = ("reassign", "T-1", "--to", "T-2", "--reason", "takes over from a leaver")


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command; T-1 has a work order and T-2 can take it."""
    world.join_technician("T-1")
    world.join_technician("T-2", "theo.tor")
    world.fsm.add(WorkOrder("WO-1", lead="T-1"))
    monkeypatch.setattr(deactivation, "open_desk", lambda: world.systems)
    return lambda *arguments: CliRunner().invoke(app, ["work-orders", *arguments])


@pytest.fixture
def worker(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that works at every wake."""
    monkeypatch.setattr(world.wake, "wake", world.work)


def test_the_door_waits_and_lists_what_was_moved(run: Run, worker: None) -> None:
    said = done(run(*REASSIGN))
    assert "1 work order moved from T-1 to T-2" in said
    assert "WO-1" in said


def test_programs_get_the_work_orders(run: Run, worker: None) -> None:
    assert [order["number"] for order in told(run, *REASSIGN)] == ["WO-1"]


def test_nobody_needs_to_wait(run: Run) -> None:
    """It is stored and goes on alone."""
    assert "it is stored that T-2 takes over" in done(run(*REASSIGN, "--no-wait"))
    late = run(*REASSIGN, "--timeout", "1")
    assert late.exit_code == 1
    assert "after 1 s not done; it goes on alone. No worker has tried yet." in late.output


def test_why_nothing_was_moved_is_told(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other technician is stopped between the door and the worker."""

    def stopped(lane: object) -> None:
        world.fsm.stop_assignments("T-2", "stop-1")
        world.work()

    monkeypatch.setattr(world.wake, "wake", stopped)
    said = run(*REASSIGN)
    assert said.exit_code == 1
    assert "nothing was moved from T-1 to T-2: technician T-2 cannot take over" in said.output


def dies_after(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker that is woken ends right after the FSM system has moved everything."""
    move = world.fsm.reassign

    def dies(technician_id: str, to: str) -> Sequence[OpenWorkOrder]:
        move(technician_id, to)
        raise KeyboardInterrupt

    def works(lane: object) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(world.fsm, "reassign", dies)
            with pytest.raises(KeyboardInterrupt):
                world.work()

    monkeypatch.setattr(world.wake, "wake", works)


@pytest.mark.req("H1")
def test_after_a_crash_the_door_still_lists_what_was_moved(
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first worker died before it could say so. Asked again it is the same wish, and all of it is told."""
    world.fsm.add(WorkOrder("WO-2", crew=frozenset({"T-1"})))
    dies_after(world, monkeypatch)
    late = run(*REASSIGN, "--timeout", "1")
    assert (late.exit_code, "it goes on alone" in late.output) == (1, True)
    [waits] = told(run, "reassignments")
    assert (waits["state"], [order["number"] for order in waits["found"]]) == ("waiting", ["WO-1", "WO-2"])

    world.fsm.add(WorkOrder("WO-3", lead="T-1"))
    world.pass_time(LEASE.total_seconds() + 1)
    monkeypatch.setattr(world.wake, "wake", world.work)
    said = done(run(*REASSIGN))
    assert "3 work orders moved from T-1 to T-2" in said
    for number in ("WO-1", "WO-2", "WO-3"):
        assert number in said
    [ended] = told(run, "reassignments")
    assert (ended["state"], [order["number"] for order in ended["moved"]]) == ("done", ["WO-1", "WO-2", "WO-3"])


def test_whoever_did_not_wait_can_see_later_what_came_of_it(run: Run, world: World) -> None:
    """From whom, to whom, who asked and why, the numbers or what stood in the way; in the timeline too."""
    done(run(*REASSIGN, "--no-wait"))
    for word in ("T-1", "T-2", "waiting", "takes over from a leaver"):
        assert word in done(run("reassignments"))
    world.fsm.stop_assignments("T-2", "stop-1")
    world.work()
    said = done(run("reassignments"))
    assert "failed" in said
    assert "name another one" in said
    leaver = world.read(lambda tx: accounts.by_technician(tx, "T-1"))
    assert leaver is not None
    entries = world.read(lambda tx: read_timeline(tx, leaver.id))
    [entry] = [each for each in entries if each.title == "work orders of T-1 were not moved to T-2"]
    assert any("name another one" in line for line in entry.details)

    world.fsm.allow_assignments("T-2", "stop-1")
    done(run(*REASSIGN, "--no-wait"))
    world.work()
    newest, before = told(run, "reassignments")
    assert (newest["state"], before["state"]) == ("done", "failed")
    assert "WO-1" in done(run("reassignments"))


def test_wishes_are_listed_like_everything_else(run: Run, world: World) -> None:
    """All of them for programs, the newest for people, who are told of the rest."""
    for _ in range(2):
        done(run(*REASSIGN, "--no-wait"))
        world.work()
        world.fsm.add(WorkOrder(f"WO-{world.clock.now():%S}", lead="T-1"))
        world.pass_time(1)
    assert len(list(csv.DictReader(io.StringIO(done(run("reassignments", "--csv")))))) == 2
    cut = run("reassignments", "--limit", "1")
    assert done(cut).count("takes over from a leaver") == 1
    assert "there are more: raise --limit" in cut.stderr
