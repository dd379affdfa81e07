"""`fsm-identity work-orders reassign` as a person types it: stored, moved by a worker, watched (D5)."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from sync.entrypoints.cli import app, deactivation
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
        world.fsm.stop_assignments("T-2")
        world.work()

    monkeypatch.setattr(world.wake, "wake", stopped)
    said = run(*REASSIGN)
    assert said.exit_code == 1
    assert "nothing was moved from T-1 to T-2: technician T-2 cannot take over" in said.output
