"""The example FSM database: 120 technicians and 300 work orders in all statuses."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from examples import BUSY_TECHNICIAN, FREE_TECHNICIAN
from examples import fsm_database as example
from examples.company import people
from examples.fsm_content import CLOSED_STATUSES, OPEN_STATUSES
from mappings import Policy, load
from sync.adapters.fsm.sql import SqlFieldService

DAY = date(2026, 9, 1)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('fsm') / 'fsm.db'}"
    example.create(url)
    return url


@pytest.fixture
def fsm(url: str, policy: Policy) -> SqlFieldService:
    return SqlFieldService(url, policy.field_service, policy.work_orders)


def rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the database, by table."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in example.METADATA.sorted_tables
        }


def test_the_figures(url: str, policy: Policy) -> None:
    """Teams, vehicles, technicians, work orders in every status, crews and appointments."""
    found = rows(example.engine_for(url))
    assert len(found["team"]) == len(policy.teams)
    assert len(found["technician"]) == 120
    assert len(found["work_order"]) == 300
    assert len(found["vehicle"]) > 50
    assert len(found["work_order_crew"]) > 50
    assert len(found["appointment"]) > 50
    statuses = Counter(row[2] for row in found["work_order"])
    assert set(statuses) == set(OPEN_STATUSES + CLOSED_STATUSES)
    assert {status for status in statuses if not policy.work_orders.is_open(str(status))} == set(CLOSED_STATUSES)


def test_open_work_is_of_today(url: str) -> None:
    """Whoever tries it in two years does not see a company that is years behind."""
    today = datetime.now().astimezone().date()
    orders = rows(example.engine_for(url))["work_order"]
    due = [order[5] for order in orders if order[2] in OPEN_STATUSES]
    assert min(due) >= today - timedelta(days=1)
    assert max(due) < today + timedelta(days=40)


def test_making_it_again_gives_the_same(database_url: str) -> None:
    """Whatever happened to it, it is as it was; on SQLite and on PostgreSQL."""
    example.create(database_url, DAY)
    engine = example.engine_for(database_url)
    first = rows(engine)
    example.assign(engine, "w00010", FREE_TECHNICIAN)
    assert rows(engine) != first
    engine.dispose()
    example.create(database_url, DAY)
    assert rows(example.engine_for(database_url)) == first


def test_technicians_are_the_people_of_the_staff_file(fsm: SqlFieldService) -> None:
    """Same id, name and team; ten more belong to subcontractors and have no account."""
    technicians = {technician.id: technician for technician in fsm.technicians()}
    own = {person.technician_id: person for person in people() if person.technician_id is not None}
    assert len(own) == 110
    assert all(
        (technicians[id_].name, technicians[id_].team) == (own[id_].full_name, own[id_].team) for id_ in own
    )
    assert all("(Partner)" in technicians[id_].name for id_ in technicians.keys() - own.keys())


@pytest.mark.supports("D1")
def test_the_busy_technician_and_the_one_who_can_take_over(fsm: SqlFieldService) -> None:
    """Open work as lead, crew and appointment on one side, none on the other; the same team."""
    busy = fsm.open_work_orders(BUSY_TECHNICIAN)
    assert [order.holds for order in busy] == [
        ("lead", "appointment"),
        ("lead",),
        ("crew",),
        ("appointment",),
        ("lead",),
    ]
    assert fsm.open_work_orders(FREE_TECHNICIAN) == ()
    free, holder = fsm.technician(FREE_TECHNICIAN), fsm.technician(BUSY_TECHNICIAN)
    assert free is not None
    assert holder is not None
    assert free.team == holder.team
    assert free.assignable


def test_it_is_made_from_the_command_line(tmp_path: Path, policy: Policy) -> None:
    """`python -m examples.fsm_database URL`."""
    url = f"sqlite:///{tmp_path / 'fsm.db'}"
    example.main([url])
    SqlFieldService(url, policy.field_service, policy.work_orders).check()
