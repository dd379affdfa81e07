"""The gate holds under races: work given while assignments are stopped is seen or refused (D3)."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, insert, update

from examples import BUSY_TECHNICIAN, FREE_TECHNICIAN
from examples import fsm_database as example
from mappings import load
from sync.adapters.fsm.sql import SqlFieldService
from sync.domain.errors import Failure

ROUNDS = 25


@pytest.fixture
def engine(database_url: str) -> Engine:
    """The FSM system's own connection to the example database."""
    example.create(database_url)
    return example.engine_for(database_url)


@pytest.fixture
def fsm(engine: Engine, database_url: str) -> SqlFieldService:
    policy = load()
    return SqlFieldService(database_url, policy.field_service, policy.work_orders)


def free_order(engine: Engine, number: int) -> str:
    """A new work order that nobody has."""
    order = f"race-{number}"
    with engine.begin() as connection:
        connection.execute(
            insert(example.WORK_ORDER).values(
                id=order, number=order, status="scheduled", customer="Kino Lux", task="Wartung"
            )
        )
    return order


@pytest.mark.supports("D3")
def test_work_given_while_the_gate_asks_is_seen_or_refused(fsm: SqlFieldService, engine: Engine) -> None:
    """A dispatcher and a deactivation at the same moment, many times, with either one ahead."""
    for number in range(ROUNDS):
        fsm.allow_assignments(FREE_TECHNICIAN, "stop-1")
        order = free_order(engine, number)
        start = threading.Barrier(2)
        refused: list[bool] = []

        def dispatch(order: str = order, start: threading.Barrier = start, refused: list[bool] = refused) -> None:
            start.wait(10)
            try:
                example.assign(engine, order, FREE_TECHNICIAN)
                refused.append(False)
            except example.NotAssignable:
                refused.append(True)

        dispatcher = threading.Thread(target=dispatch)
        dispatcher.start()
        start.wait(10)
        fsm.stop_assignments(FREE_TECHNICIAN, "stop-1")
        seen = order in {each.number for each in fsm.open_work_orders(FREE_TECHNICIAN)}
        dispatcher.join(20)
        assert refused in ([True], [False])
        assert seen is not refused[0]


@pytest.mark.supports("D3")
def test_after_the_stop_work_is_refused(fsm: SqlFieldService, engine: Engine) -> None:
    """The FSM system says no, and the work order stays free."""
    order = free_order(engine, 0)
    fsm.stop_assignments(FREE_TECHNICIAN, "stop-1")
    with pytest.raises(example.NotAssignable):
        example.assign(engine, order, FREE_TECHNICIAN)
    assert fsm.open_work_orders(FREE_TECHNICIAN) == ()


@pytest.mark.supports("D3")
@pytest.mark.parametrize("commits", [True, False])
def test_the_stop_waits_for_work_that_is_just_being_given(
    fsm: SqlFieldService, engine: Engine, *, commits: bool
) -> None:
    """The dispatcher's transaction is open: the stop returns only after its end, and the next read sees it."""
    order = free_order(engine, 0)
    stopped = threading.Event()

    def stop() -> None:
        fsm.stop_assignments(FREE_TECHNICIAN, "stop-1")
        stopped.set()

    stopper = threading.Thread(target=stop)
    with example.assignable_technician(engine, FREE_TECHNICIAN) as connection:
        connection.execute(
            update(example.WORK_ORDER)
            .where(example.WORK_ORDER.c.id == order)
            .values(lead_technician=FREE_TECHNICIAN)
        )
        stopper.start()
        assert not stopped.wait(0.3)
        if not commits:
            connection.rollback()
    stopper.join(20)
    assert stopped.is_set()
    assert [each.number for each in fsm.open_work_orders(FREE_TECHNICIAN)] == ([order] if commits else [])


@pytest.mark.supports("D5")
def test_two_reassignments_crosswise_end_and_lose_nothing(fsm: SqlFieldService, engine: Engine) -> None:
    """A to B and B to A at once: no deadlock, and every work order is still with one of the two."""
    before = {each.number for each in fsm.open_work_orders(BUSY_TECHNICIAN)}
    start = threading.Barrier(2)
    failures: list[Failure] = []

    def move(source: str, to: str) -> None:
        start.wait(10)
        try:
            fsm.reassign(source, to)
        except Failure as failure:
            failures.append(failure)

    movers = [
        threading.Thread(target=move, args=pair)
        for pair in ((BUSY_TECHNICIAN, FREE_TECHNICIAN), (FREE_TECHNICIAN, BUSY_TECHNICIAN))
    ]
    for mover in movers:
        mover.start()
    for mover in movers:
        mover.join(20)
    assert failures == []
    after = [
        {each.number for each in fsm.open_work_orders(technician)}
        for technician in (BUSY_TECHNICIAN, FREE_TECHNICIAN)
    ]
    assert after[0] | after[1] == before
    assert not after[0] & after[1]
