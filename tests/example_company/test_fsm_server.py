"""The example FSM server is the contract: docs/field-service.openapi.json is what it serves."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from sqlalchemy import Engine, insert

from examples import BUSY_TECHNICIAN, FREE_TECHNICIAN
from examples import fsm_database as example
from examples.fsm_server import PAGE, openapi
from mappings import load
from sync.adapters.fsm.http import HttpFieldService
from sync.adapters.fsm.sql import SqlFieldService
from sync.domain.errors import FailureCode, Misconfigured
from tests.fsm_over_http import FSM_TOKEN, Serve

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'fsm.db'}"
    example.create(url)
    return url


@pytest.fixture
def engine(url: str) -> Engine:
    return example.engine_for(url)


@pytest.mark.supports("D3")
def test_the_documented_contract_is_the_one_that_is_served() -> None:
    """Make it anew with `python -m examples.fsm_server --openapi > docs/field-service.openapi.json`."""
    assert (DOCS / "field-service.openapi.json").read_text(encoding="utf-8") == openapi()


@pytest.mark.supports("D1", "D3")
def test_both_adapters_see_the_same_example(url: str, serve_fsm: Serve) -> None:
    """All technicians and the work of the busy one."""
    policy = load()
    sql = SqlFieldService(url, policy.field_service, policy.work_orders)
    http = HttpFieldService(serve_fsm(url), FSM_TOKEN, policy.work_orders, timeout_seconds=10)
    http.check()
    assert http.technicians() == sql.technicians()
    assert http.open_work_orders(BUSY_TECHNICIAN) == sql.open_work_orders(BUSY_TECHNICIAN) != ()


@pytest.mark.supports("D3")
def test_a_stop_ends_with_its_own_id_alone(url: str, serve_fsm: Serve, engine: Engine) -> None:
    """A late release of another deactivation gives nobody work, and the FSM system's own switch stays as it is."""
    fsm = HttpFieldService(serve_fsm(url), FSM_TOKEN, load().work_orders, timeout_seconds=10)
    with engine.begin() as connection:
        connection.execute(
            insert(example.WORK_ORDER).values(
                id="w", number="w", status="scheduled", customer="Kino Lux", task="Wartung"
            )
        )
    fsm.stop_assignments(FREE_TECHNICIAN, "first")
    fsm.stop_assignments(FREE_TECHNICIAN, "second")
    fsm.allow_assignments(FREE_TECHNICIAN, "first")
    with pytest.raises(example.NotAssignable):
        example.assign(engine, "w", FREE_TECHNICIAN)
    fsm.allow_assignments(FREE_TECHNICIAN, "second")
    example.assign(engine, "w", FREE_TECHNICIAN)


@pytest.mark.supports("H2")
def test_nobody_is_answered_without_the_token(url: str, serve_fsm: Serve) -> None:
    """The adapter is told which setting to look at; a browser sees a problem with a code."""
    served = serve_fsm(url)
    wrong = HttpFieldService(served, "another", load().work_orders, timeout_seconds=10)
    with pytest.raises(Misconfigured, match="FSM_FIELD_SERVICE_TOKEN") as refused:
        wrong.check()
    assert refused.value.code is FailureCode.ACCESS_REFUSED
    answered = requests.get(f"{served}/technicians", timeout=10)
    assert (answered.status_code, answered.json()["code"]) == (401, "token-refused")


@pytest.mark.supports("D3")
def test_a_change_between_two_pages_changes_the_mark(url: str, serve_fsm: Serve, engine: Engine) -> None:
    """And only that: pages of what stands still carry one mark."""
    served = serve_fsm(url)
    asked = f"{served}/technicians/{FREE_TECHNICIAN}/work-orders"

    def page(mark: str | None) -> dict[str, object]:
        params = {"closed_status": "completed", "holds": "lead", **({"page": mark} if mark else {})}
        answered = requests.get(asked, params, headers={"Authorization": f"Bearer {FSM_TOKEN}"}, timeout=10)
        found: dict[str, object] = answered.json()
        return found

    def add(first: int, count: int) -> None:
        rows = [
            {"id": f"p{n}", "number": f"P-{n:05d}", "status": "open", "customer": "Kino Lux", "task": "Wartung"}
            for n in range(first, first + count)
        ]
        with engine.begin() as connection:
            connection.execute(insert(example.WORK_ORDER).values(lead_technician=FREE_TECHNICIAN), rows)

    add(0, PAGE + 1)
    first = page(None)
    second = page(str(first["next"]))
    assert first["snapshot"] == second["snapshot"]
    assert second["next"] is None
    add(PAGE + 1, 1)
    assert page(str(first["next"]))["snapshot"] != first["snapshot"]
