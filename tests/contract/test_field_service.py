"""The FieldService port: one suite on the fake, on SQLite and PostgreSQL, and over HTTP on either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from examples import fsm_database as example
from mappings import Policy, load
from mappings.work_orders import WorkOrderPolicy
from sync.adapters.fsm.http import HttpFieldService
from sync.adapters.fsm.sql import SqlFieldService
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import FailureCode, NeedsPerson
from sync.ports.field_service import FieldService, Technician
from tests.fakes.field_service import FakeFieldService, WorkOrder
from tests.fsm_over_http import FSM_TOKEN

ANNA = Technician("T-1", "Anna Ahlers", "north", assignable=True)
BERND = Technician("T-2", "Bernd Böttcher", None, assignable=True)
CARLA = Technician("T-3", "Carla Çelik", "north", assignable=False)
MONDAY = datetime(2026, 9, 7, 8, 0)  # noqa: DTZ001 - the FSM system keeps local time
TUESDAY = datetime(2026, 9, 8, 8, 0)  # noqa: DTZ001

Make = Callable[..., FieldService]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load()


@pytest.fixture(
    params=[
        "fake",
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        "http-sqlite",
        pytest.param("http-postgres", marks=pytest.mark.postgres),
    ]
)
def make(request: pytest.FixtureRequest, tmp_path: Path, policy: Policy) -> Make:
    """Makes an FSM system with three technicians and the work orders that are given."""

    def fake(*orders: WorkOrder, counting: WorkOrderPolicy = policy.work_orders) -> FieldService:
        return FakeFieldService(counting, (CARLA, BERND, ANNA), orders)

    def sql(*orders: WorkOrder, counting: WorkOrderPolicy = policy.work_orders) -> FieldService:
        write(url, orders)
        return SqlFieldService(url, policy.field_service, counting)

    def http(*orders: WorkOrder, counting: WorkOrderPolicy = policy.work_orders) -> FieldService:
        write(url, orders)
        served = request.getfixturevalue("serve_fsm")(url)
        return HttpFieldService(served, FSM_TOKEN, counting, timeout_seconds=10)

    if request.param == "fake":
        return fake
    postgres = request.param.endswith("postgres")
    url = request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path / 'fsm.db'}"
    return http if request.param.startswith("http") else sql


def write(url: str, orders: tuple[WorkOrder, ...]) -> None:
    """Fill the example tables with the technicians of this module and some work orders."""
    engine = example.engine_for(url)
    with engine.begin() as connection:
        example.METADATA.create_all(connection)
        connection.execute(insert(example.TEAM), [{"id": "north", "name": "North", "branch": "hamburg"}])
        connection.execute(
            insert(example.TECHNICIAN),
            [
                {"id": each.id, "name": each.name, "team": each.team, "assignable": each.assignable}
                for each in (CARLA, BERND, ANNA)
            ],
        )
        for order in orders:
            connection.execute(
                insert(example.WORK_ORDER).values(
                    id=f"id-{order.number}",
                    number=order.number,
                    status=order.status,
                    customer=order.customer,
                    task="Wartung",
                    due_on=order.date,
                    lead_technician=order.lead,
                )
            )
            for technician in order.crew:
                connection.execute(
                    insert(example.CREW).values(work_order=f"id-{order.number}", technician=technician)
                )
            for technician, starts_at in order.appointments:
                connection.execute(
                    insert(example.APPOINTMENT).values(
                        work_order=f"id-{order.number}", technician=technician, starts_at=starts_at, minutes=60
                    )
                )
    engine.dispose()


def held(orders: object) -> dict[str, tuple[str, ...]]:
    """Number and ways of holding, in the order of the answer."""
    assert isinstance(orders, tuple)
    return {order.number: order.holds for order in orders}


@pytest.mark.supports("B2")
def test_technicians_are_listed_by_id(make: Make) -> None:
    """All of them, with team and whether they can be given work."""
    assert list(make().technicians()) == [ANNA, BERND, CARLA]


@pytest.mark.supports("B2")
def test_one_technician_is_found_or_not(make: Make) -> None:
    """None says that there is no such record."""
    fsm = make()
    assert fsm.technician("T-2") == BERND
    assert fsm.technician("T-9") is None


@pytest.mark.supports("D1")
def test_work_is_found_as_lead_crew_and_appointment(make: Make) -> None:
    """Each work order once, by number, with every way in which it is held; work of others is not seen."""
    fsm = make(
        WorkOrder("WO-3", lead="T-1", crew=frozenset({"T-2"}), date=date(2026, 9, 8), customer="Kino Lux"),
        WorkOrder("WO-1", lead="T-2", crew=frozenset({"T-1"}), appointments=(("T-1", MONDAY), ("T-1", TUESDAY))),
        WorkOrder("WO-2", lead="T-2", appointments=(("T-1", MONDAY),)),
        WorkOrder("WO-4", lead="T-2"),
        WorkOrder("WO-5"),
    )
    found = fsm.open_work_orders("T-1")
    assert held(found) == {"WO-1": ("crew", "appointment"), "WO-2": ("appointment",), "WO-3": ("lead",)}
    assert found[2] == OpenWorkOrder("WO-3", "scheduled", "Kino Lux", date(2026, 9, 8), ("lead",))
    assert found[0].date is None
    assert fsm.open_work_orders("T-3") == ()


@pytest.mark.supports("D2")
@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("completed", None),
        (" Completed ", None),
        ("INVOICED", None),
        ("completed?", "completed?"),
        ("never heard of", "never heard of"),
        ("", ""),
        (None, "no status"),
    ],
)
def test_whatever_is_not_listed_as_closed_is_open(make: Make, status: str | None, shown: str | None) -> None:
    """An unknown, empty or missing status counts as open; case and blanks do not matter."""
    found = make(WorkOrder("WO-1", status=status, lead="T-1")).open_work_orders("T-1")
    assert [order.status for order in found] == ([] if shown is None else [shown])


@pytest.mark.supports("D2")
def test_a_closed_status_with_umlauts_is_closed(make: Make, policy: Policy) -> None:
    """Databases differ in what they make of capital umlauts; the policy has the last word."""
    german = replace(policy.work_orders, closed_statuses=frozenset({"übergeben"}))
    fsm = make(WorkOrder("WO-1", status="ÜBERGEBEN", lead="T-1"), WorkOrder("WO-2", lead="T-1"), counting=german)
    assert list(held(fsm.open_work_orders("T-1"))) == ["WO-2"]


@pytest.mark.supports("D1")
def test_only_what_counts_by_file_is_seen_and_moved(make: Make, policy: Policy) -> None:
    """A company may say that being in a crew is no reason to keep an account."""
    leads_only = replace(policy.work_orders, assignments=frozenset({"lead"}))
    fsm = make(
        WorkOrder("WO-1", lead="T-1"), WorkOrder("WO-2", lead="T-3", crew=frozenset({"T-1"})), counting=leads_only
    )
    assert held(fsm.open_work_orders("T-1")) == {"WO-1": ("lead",)}
    assert held(fsm.reassign("T-1", "T-2")) == {"WO-1": ("lead",)}


@pytest.mark.supports("D1")
def test_however_many_there_are(make: Make) -> None:
    """More than one statement could name are found and moved."""
    fsm = make(*(WorkOrder(f"WO-{number:04d}", lead="T-1") for number in range(1203)))
    assert len(fsm.open_work_orders("T-1")) == 1203
    assert len(fsm.reassign("T-1", "T-2")) == 1203
    assert fsm.open_work_orders("T-1") == ()
    assert list(held(fsm.open_work_orders("T-2"))) == [f"WO-{number:04d}" for number in range(1203)]


@pytest.mark.supports("D3")
def test_assignments_are_stopped_and_allowed_again(make: Make) -> None:
    """Twice is as good as once; a technician who does not exist gets no work anyway."""
    fsm = make()
    for _ in range(2):
        fsm.stop_assignments("T-1", "stop-1")
        assert fsm.technician("T-1") == replace(ANNA, assignable=False)
    assert fsm.technician("T-2") == BERND
    for _ in range(2):
        fsm.allow_assignments("T-1", "stop-1")
        assert fsm.technician("T-1") == ANNA
    fsm.stop_assignments("T-9", "stop-1")
    assert fsm.technician("T-9") is None


@pytest.mark.supports("D5")
def test_everything_open_is_moved_and_nothing_closed(make: Make) -> None:
    """The answer is what the first technician held; afterwards the other one holds it, in the same ways."""
    fsm = make(
        WorkOrder("WO-1", lead="T-1", appointments=(("T-1", MONDAY),)),
        WorkOrder("WO-2", lead="T-3", crew=frozenset({"T-1"})),
        WorkOrder("WO-3", status="completed", lead="T-1"),
        WorkOrder("WO-4", lead="T-3"),
    )
    before = fsm.open_work_orders("T-1")
    assert fsm.reassign("T-1", "T-2") == before
    assert fsm.open_work_orders("T-1") == ()
    assert fsm.open_work_orders("T-2") == before
    assert held(fsm.open_work_orders("T-3")) == {"WO-2": ("lead",), "WO-4": ("lead",)}


@pytest.mark.supports("D5")
@pytest.mark.parametrize(
    ("order", "after"),
    [
        (WorkOrder("WO-1", lead="T-1", crew=frozenset({"T-2"})), ("lead",)),
        (WorkOrder("WO-1", lead="T-2", crew=frozenset({"T-1"})), ("lead",)),
        (WorkOrder("WO-1", lead="T-3", crew=frozenset({"T-1", "T-2"})), ("crew",)),
        (WorkOrder("WO-1", lead="T-1", crew=frozenset({"T-1"})), ("lead",)),
        (WorkOrder("WO-1", appointments=(("T-1", MONDAY), ("T-2", MONDAY))), ("appointment",)),
        (WorkOrder("WO-1", appointments=(("T-1", MONDAY), ("T-2", TUESDAY))), ("appointment",)),
        (WorkOrder("WO-1", lead="T-1", appointments=(("T-1", MONDAY), ("T-1", TUESDAY))), ("lead", "appointment")),
    ],
)
def test_whoever_is_on_it_already_is_not_put_on_it_twice(
    make: Make, order: WorkOrder, after: tuple[str, ...]
) -> None:
    """The place that would be doubled is freed."""
    fsm = make(order)
    fsm.reassign("T-1", "T-2")
    assert fsm.open_work_orders("T-1") == ()
    assert held(fsm.open_work_orders("T-2")) == {"WO-1": after}


@pytest.mark.supports("D5")
@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("T-3", FailureCode.TECHNICIAN_UNASSIGNABLE),
        ("T-9", FailureCode.TECHNICIAN_UNKNOWN),
        ("T-1", FailureCode.VALUE_REFUSED),
    ],
)
def test_nothing_is_moved_to_someone_who_cannot_take_it(make: Make, to: str, code: FailureCode) -> None:
    """Not assignable, not there, or the very same: a person has to name another one."""
    fsm = make(WorkOrder("WO-1", lead="T-1"))
    with pytest.raises(NeedsPerson, match=f"{to}.*name another one") as refused:
        fsm.reassign("T-1", to)
    assert refused.value.code is code
    assert held(fsm.open_work_orders("T-1")) == {"WO-1": ("lead",)}


@pytest.mark.supports("D5")
def test_work_can_be_taken_from_someone_who_gets_no_more(make: Make) -> None:
    """The usual case: assignments are stopped first, then the work is moved, once."""
    fsm = make(WorkOrder("WO-1", lead="T-1"))
    fsm.stop_assignments("T-1", "stop-1")
    assert held(fsm.reassign("T-1", "T-2")) == {"WO-1": ("lead",)}
    assert fsm.reassign("T-1", "T-2") == ()
