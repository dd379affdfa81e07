"""Moving work orders in the FSM system, as a worker does what a door stored (D5)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sync.commands.deactivation.reassign import reassign_work_orders
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import Refused, Transient
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.jobs.deactivation.reassign import reassign_next
from sync.jobs.schedule.sweep import sweep
from sync.ports.lease import unkept
from sync.store.audit.timeline import read_timeline
from sync.store.deactivation import reassignments
from sync.store.deactivation.reassignments import Reassignment
from sync.store.work import lanes
from sync.views.operations.problems import problems
from tests.callers import allowed
from tests.fakes.field_service import WorkOrder
from tests.world import BY, World

pytestmark = pytest.mark.supports("D5", "H1")

NUMBERS = ["WO-1", "WO-2"]


@pytest.fixture
def leaving(world: World) -> Account:
    """T-1 with two open work orders, and T-2, who can take them."""
    account = world.join_technician("T-1")
    world.join_technician("T-2", "theo.tor")
    world.fsm.add(*(WorkOrder(number, lead="T-1") for number in NUMBERS))
    return account


def now(world: World, asked: Reassignment) -> Reassignment:
    found = world.read(lambda tx: reassignments.get(tx, asked.id))
    assert found is not None
    return found


def told(world: World, account: Account) -> list[tuple[str, ...]]:
    """What the timeline says of reassigning, an entry a line."""
    entries = world.read(lambda tx: read_timeline(tx, account.id))
    return [entry.details for entry in entries if entry.title.startswith("reassign")]


def numbers(orders: Sequence[OpenWorkOrder]) -> list[str]:
    return [order.number for order in orders]


def test_the_door_stores_and_a_worker_moves(world: World, leaving: Account) -> None:
    """Nothing is written to the FSM system at the door; a lost wake is found by the sweep."""
    asked = reassign_work_orders(world.systems, "T-1", "T-2", BY)
    assert (asked.state, world.wake.woken[-1]) == ("waiting", Lane.INTERACTIVE)
    assert numbers(world.fsm.open_work_orders("T-1")) == NUMBERS
    assert Lane.INTERACTIVE in sweep(world.systems)
    world.work()
    assert (now(world, asked).state, numbers(now(world, asked).moved)) == ("done", NUMBERS)
    assert numbers(world.fsm.open_work_orders("T-2")) == NUMBERS
    [details] = told(world, leaving)
    assert [number for number in NUMBERS if any(number in line for line in details)] == NUMBERS


def test_asked_twice_is_one_wish_and_to_somebody_else_is_refused(world: World, leaving: Account) -> None:
    """While the first is on its way."""
    world.join_technician("T-3", "tim.thal")
    first = reassign_work_orders(world.systems, "T-1", "T-2", BY)
    assert reassign_work_orders(world.systems, "T-1", "T-2", BY).id == first.id
    with pytest.raises(Refused, match="T-2 is being given these work orders already"):
        reassign_work_orders(world.systems, "T-1", "T-3", BY)
    world.work()
    assert len(told(world, leaving)) == 1


@pytest.mark.parametrize("comes_between", ["nothing", "a new work order", "one is closed"])
def test_dead_after_the_move_and_before_it_was_recorded(
    world: World, leaving: Account, monkeypatch: pytest.MonkeyPatch, comes_between: str
) -> None:
    """The next worker moves what came in between; the timeline has every number that was moved, once."""
    move = world.fsm.reassign

    def dies(technician_id: str, to: str) -> Sequence[OpenWorkOrder]:
        move(technician_id, to)
        raise KeyboardInterrupt

    monkeypatch.setattr(world.fsm, "reassign", dies)
    asked = reassign_work_orders(world.systems, "T-1", "T-2", BY)
    with pytest.raises(KeyboardInterrupt):
        reassign_next(world.systems)
    monkeypatch.undo()
    assert (now(world, asked).state, told(world, leaving)) == ("waiting", [])
    world.work()
    assert now(world, asked).state == "waiting", "its lease holds"
    wanted = NUMBERS
    if comes_between == "a new work order":
        world.fsm.add(WorkOrder("WO-3", lead="T-1"))
        wanted = [*NUMBERS, "WO-3"]
    elif comes_between == "one is closed":
        world.fsm.add(WorkOrder("WO-1", lead="T-2", status="completed"))
        wanted = ["WO-2"]
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert (now(world, asked).state, numbers(now(world, asked).moved)) == ("done", wanted)
    [details] = told(world, leaving)
    assert sorted(line.split(":")[0] for line in details if line.startswith("WO-")) == wanted
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert len(told(world, leaving)) == 1


def test_who_lost_the_lease_writes_nothing_down(
    world: World, leaving: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who has it by now does."""
    move = world.fsm.reassign

    def slow(technician_id: str, to: str) -> Sequence[OpenWorkOrder]:
        moved = move(technician_id, to)
        monkeypatch.undo()
        world.pass_time(LEASE.total_seconds() + 1)
        with unkept():
            assert reassign_next(world.systems) == 1
        return moved

    monkeypatch.setattr(world.fsm, "reassign", slow)
    asked = reassign_work_orders(world.systems, "T-1", "T-2", BY)
    assert reassign_next(world.systems) == 1
    assert numbers(now(world, asked).moved) == NUMBERS
    assert len(told(world, leaving)) == 1


@pytest.mark.supports("H2", "H3")
def test_the_fsm_system_is_away(world: World, leaving: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes again by itself, and an operator is told meanwhile."""
    asked = reassign_work_orders(world.systems, "T-1", "T-2", BY)
    world.fsm.down = True
    world.work()
    assert "cannot be asked" in str(now(world, asked).failure)
    world.pass_time(600)
    found = world.read(lambda tx: problems(tx, Scope.all(), world.clock.now()))
    [trouble] = [each for each in found if "not yet moved" in each.what]
    assert "the work orders of T-1 are not yet moved to T-2: the FSM system cannot be asked" in trouble.what
    world.fsm.down = False
    world.work()
    assert now(world, asked).state == "done"


def test_whoever_cannot_take_over_any_more(world: World, leaving: Account) -> None:
    """Since the door was passed: a person has to name another one."""
    asked = reassign_work_orders(world.systems, "T-1", "T-2", BY)
    world.fsm.stop_assignments("T-2", "stop-1")
    world.work()
    assert (now(world, asked).state, now(world, asked).moved) == ("failed", ())
    assert "name another one" in str(now(world, asked).failure)
    assert numbers(world.fsm.open_work_orders("T-1")) == NUMBERS


def test_a_paused_lane_moves_nothing(world: World, leaving: Account) -> None:
    with world.systems.db.write() as tx:
        lanes.pause(tx, Lane.INTERACTIVE, allowed(BY), world.clock.now())
    asked = reassign_work_orders(world.systems, "T-1", "T-2", BY)
    world.work()
    assert now(world, asked).state == "waiting"


def test_what_cannot_be_asked_at_the_door_is_not_stored(world: World, leaving: Account) -> None:
    """The FSM system is away, and so nobody knows who can take over."""
    world.fsm.down = True
    with pytest.raises(Transient):
        reassign_work_orders(world.systems, "T-1", "T-2", BY)
    assert world.read(reassignments.waiting) == ()
