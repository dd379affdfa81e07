"""Work is given as fast as it can be while 200 technicians leave (60 without `make chaos`): nobody who lost access
holds work that the gate did not report (D3). Counted in the FSM system's own database."""

from __future__ import annotations

import os
import random
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, update

from examples import fsm_database as example
from sync.adapters.fsm.http import HttpFieldService
from sync.adapters.fsm.sql import SqlFieldService
from sync.domain.access.scope import Scope
from sync.domain.deactivation.gate import GatePolicy
from sync.ports.field_service import FieldService, Technician
from sync.store.deactivation import deactivations
from tests.fsm_over_http import FSM_TOKEN
from tests.world import POLICY, World, leave

WHOLE = "FSM_CHAOS" in os.environ

LEAVING = 200 if WHOLE else 60
DISPATCHERS = 2
STAYS_OPEN = 0.03
"""Of the work that is given; the rest is completed at once, so that some leave with open work and some without."""

ROUNDS = 5
"""In which whoever could not be looked at, as the database was busy for long, is looked at again."""


@dataclass
class FsmSystem:
    engine: Engine
    asked: FieldService
    given: int = 0
    refused: int = 0
    failures: list[BaseException] = field(default_factory=list)

    def open_orders(self) -> Mapping[str, set[str]]:
        """The numbers of all open work orders by their lead, as the FSM system's own database has them."""
        order = example.WORK_ORDER.c
        found = defaultdict(set)
        with self.engine.begin() as connection:
            for row in connection.execute(
                select(order.number, order.lead_technician).where(order.status == "scheduled")
            ):
                found[row.lead_technician].add(row.number)
        return found

    @contextmanager
    def dispatching(self) -> Iterator[None]:
        """Its own people give work, without a pause."""
        ended = threading.Event()
        threads = [threading.Thread(target=self._dispatch, args=(nth, ended)) for nth in range(DISPATCHERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join(60)

    def _dispatch(self, dispatcher: int, ended: threading.Event) -> None:
        chance, nth = random.Random(dispatcher), 0
        try:
            while not ended.is_set():
                nth += 1
                self._give(f"{dispatcher}-{nth}", technician_of(chance.randrange(LEAVING)), chance.random())
        except BaseException as error:  # the test tells of it
            self.failures.append(error)
            raise

    def _give(self, order: str, technician: str, chance: float) -> None:
        try:
            with example.assignable_technician(self.engine, technician) as connection:
                connection.execute(
                    insert(example.WORK_ORDER).values(
                        id=order,
                        number=order,
                        status="scheduled",
                        customer="Kino Lux",
                        task="Wartung",
                        lead_technician=technician,
                    )
                )
        except example.NotAssignable:
            self.refused += 1
            return
        self.given += 1
        if chance > STAYS_OPEN:
            with self.engine.begin() as connection:
                mine = example.WORK_ORDER.c.id == order
                connection.execute(update(example.WORK_ORDER).where(mine).values(status="completed"))


def technician_of(nth: int) -> str:
    return f"R-{nth:03d}"


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("http", marks=pytest.mark.postgres),
    ]
)
def fsm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FsmSystem]:
    """The FSM system with the technicians who are about to leave."""
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'fsm.db'}" if sqlite else request.getfixturevalue("postgres_url")
    engine = example.engine_for(url)
    with engine.begin() as connection:
        example.METADATA.create_all(connection)
        rows = [{"id": technician_of(nth), "name": f"Nr. {nth}", "assignable": True} for nth in range(LEAVING)]
        connection.execute(insert(example.TECHNICIAN), rows)
    asked: FieldService = SqlFieldService(url, POLICY.field_service, POLICY.work_orders)
    if request.param == "http":
        served = request.getfixturevalue("serve_fsm")(url)
        asked = HttpFieldService(served, FSM_TOKEN, POLICY.work_orders, timeout_seconds=10)
    yield FsmSystem(engine, asked)
    engine.dispose()


@pytest.mark.supports("D3")
def test_nobody_leaves_with_work_that_was_not_reported(world: World, fsm: FsmSystem) -> None:
    """One half holds while there is open work, the other leaves by force and leaves a list of it behind."""
    accounts = {}
    for nth in range(LEAVING):
        technician = technician_of(nth)
        world.fsm.add(Technician(technician, technician, None, assignable=True))
        accounts[technician] = world.join(
            f"race.nr{nth}", profile="technician", technician_id=technician, employee_number=f"E-{nth}"
        )
    world.work()
    world.systems = replace(world.systems, field_service=fsm.asked)

    for nth, account in enumerate(accounts.values()):
        leave(world, account.id, GatePolicy.FORCE if nth % 2 else GatePolicy.HOLD)
    with fsm.dispatching():
        for _ in range(ROUNDS):
            world.work()
            gone = {technician for technician, account in accounts.items() if not world.user(account).enabled}
            held = {
                each.account.technician_id
                for each in world.read(lambda tx: deactivations.list_held(tx, Scope.all()))
            }
            if len(gone | held) == LEAVING:
                break
            world.clock.advance(timedelta(minutes=10))
    assert fsm.failures == []
    assert gone | held == set(accounts)

    reported = defaultdict(set)
    for stranded in world.read(lambda tx: deactivations.stranded(tx, Scope.all())):
        reported[stranded.technician_id].add(stranded.work_order.number)
    unreported = {
        technician: orders - reported[technician]
        for technician, orders in fsm.open_orders().items()
        if technician in gone and orders - reported[technician]
    }
    assert unreported == {}
    assert fsm.given > LEAVING
    assert fsm.refused > 0
    assert held, "nobody had open work, so the race was none"
    assert reported, "nobody left by force with open work"
    assert gone - set(reported), "nobody left without open work"
