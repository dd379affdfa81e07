"""Who leaves, what holds it, and which technician somebody has, over the API with an FSM system in memory."""

from __future__ import annotations

from typing import Any

import pytest

from sync.domain.accounts.account import Account, Life
from sync.domain.work.lane import Lane
from sync.ports.field_service import Technician
from tests.entrypoints.web.rest.asking import send
from tests.entrypoints.web.rest.conftest import Company, problem
from tests.fakes.field_service import FakeFieldService

pytestmark = pytest.mark.usefixtures("fsm")


def tess(firm: Company, name: str = "tess", technician: str | None = "T-1", **more: Any) -> Account:
    number = f"E-{name}"
    return firm.join(name, profile="technician", technician_id=technician, employee_number=number, **more)


@pytest.mark.req("D1")
def test_who_has_open_work_orders_does_not_leave_unless_it_is_said_how(firm: Company, woken: list[Lane]) -> None:
    """Refused with each work order by name; held with them; forced whatever is open."""
    root, person = firm.administrator(), tess(firm)
    path = f"/accounts/{person.id}/deactivation"
    refused = send(firm, "PUT", path, root)
    assert problem(refused) == (422, "refused")
    (order,) = (each for each in refused.json()["errors"] if each.get("code") == "work-order-open")
    assert "WO-7" in order["reason"]
    assert (firm.now(person).life, woken) == (Life.ACTIVE, [])

    held = send(firm, "PUT", path, root, policy="hold")
    assert held.status_code == 200, held.text
    body = held.json()
    assert (body["what"], body["policy"], body["requested_by"], body["door"]) == (
        "deactivation",
        "hold",
        "root@example.com",
        "rest",
    )
    assert [each["number"] for each in body["work_orders"]] == ["WO-7"]
    assert (body["deadline"] is not None, held.headers["ETag"], woken) == (True, '"2"', [Lane.INTERACTIVE])
    assert firm.get(path, root).json()["policy"] == "hold"
    assert problem(send(firm, "PUT", path, root, 2, policy="hold")) == (422, "refused")

    forced = send(firm, "PUT", path, root, 2, policy="force")
    assert (forced.status_code, forced.json()["policy"], forced.headers["ETag"]) == (200, "force", '"3"')
    assert firm.now(person).life is Life.INACTIVE


@pytest.mark.req("D3")
def test_a_hold_is_withdrawn_and_nothing_else_is(firm: Company) -> None:
    """Then nothing waits any more; who left is reactivated by another route."""
    root, person = firm.administrator(), tess(firm)
    path = f"/accounts/{person.id}/deactivation"
    assert problem(firm.get(path, root)) == (404, "not-found")
    assert problem(send(firm, "DELETE", path, root)) == (404, "not-found")
    send(firm, "PUT", path, root, policy="hold")
    withdrawn = send(firm, "DELETE", path, root, 2)
    assert (withdrawn.status_code, withdrawn.json()["life"], withdrawn.headers["ETag"]) == (200, "active", '"3"')
    assert problem(firm.get(path, root)) == (404, "not-found")
    assert problem(send(firm, "PUT", f"/accounts/{person.id}/reactivation", root, 3)) == (422, "refused")


@pytest.mark.req("D7")
def test_who_left_comes_back_with_what_they_had(firm: Company) -> None:
    """Profile, branch and technician are as they were."""
    root, person = firm.administrator(), tess(firm, technician="T-2")
    assert send(firm, "PUT", f"/accounts/{person.id}/deactivation", root).status_code == 200
    back = send(firm, "PUT", f"/accounts/{person.id}/reactivation", root, 2)
    assert (back.status_code, back.json()["life"], back.json()["technician_id"]) == (200, "active", "T-2")
    assert firm.now(person) == person


@pytest.mark.req("I4")
def test_scope_and_version_are_looked_at_before_anything_leaves(firm: Company) -> None:
    """Whoever looked at another version is told what is wanted now; oneself and other branches are not touched."""
    local = firm.branch_administrator("local", "hamburg")
    here, there = tess(firm, technician="T-2"), firm.join("there", branch="berlin")
    assert problem(send(firm, "PUT", f"/accounts/{there.id}/deactivation", local, None)) == (404, "not-found")
    for method, path in (("PUT", "deactivation"), ("DELETE", "deactivation"), ("PUT", "reactivation")):
        assert problem(send(firm, method, f"/accounts/{here.id}/{path}", local, None)) == (
            428,
            "precondition-required",
        )
    late = send(firm, "PUT", f"/accounts/{here.id}/deactivation", local, 5)
    assert problem(late) == (412, "changed-since")
    (life,) = late.json()["errors"]
    assert (life["pointer"], life["mine"], life["theirs"]) == ("/life", "inactive", "active")
    assert problem(send(firm, "PUT", f"/accounts/{local.id}/deactivation", local)) == (403, "not-allowed")
    assert firm.now(here) == here


@pytest.mark.req("D2")
def test_without_the_fsm_system_nobody_leaves(firm: Company, fsm: FakeFieldService) -> None:
    """Unknown is not none: 503, and nothing is stored."""
    root, person = firm.administrator(), tess(firm, technician="T-2")
    fsm.down = True
    answer = send(firm, "PUT", f"/accounts/{person.id}/deactivation", root)
    assert problem(answer) == (503, "not-available-now")
    assert answer.headers["Retry-After"]
    assert firm.now(person).life is Life.ACTIVE


@pytest.mark.req("B2")
def test_a_technician_is_linked_with_one_account_and_unlinked(firm: Company) -> None:
    """A second account does not get it; one that the FSM system does not know is not there."""
    root, person = firm.administrator(), tess(firm, technician=None)
    other = tess(firm, "other", technician=None)
    linked = send(firm, "PUT", "/technicians/T-2/account", root, account_id=person.id)
    assert linked.status_code == 200, linked.text
    assert (linked.json()["technician_id"], linked.headers["ETag"]) == ("T-2", '"2"')
    taken = send(firm, "PUT", "/technicians/T-2/account", root, account_id=other.id)
    assert problem(taken) == (422, "refused")
    assert taken.json()["errors"][0]["code"] == "taken"
    local = firm.branch_administrator("local", "hamburg")
    hidden = send(firm, "PUT", "/technicians/T-2/account", local, account_id=other.id)
    assert hidden.json()["errors"][0] == {
        "pointer": "/technician_id",
        "code": "not-available",
        "reason": "is not available",
        "remedy": "choose another one",
    }
    assert problem(send(firm, "PUT", "/technicians/T-9/account", root, account_id=other.id)) == (404, "not-found")
    assert problem(send(firm, "PUT", "/technicians/T-1/account", root, account_id=5)) == (422, "bad-content")

    assert problem(send(firm, "DELETE", "/technicians/T-2/account", root, None)) == (428, "precondition-required")
    assert problem(send(firm, "DELETE", "/technicians/T-2/account", root, 1)) == (412, "changed-since")
    gone = send(firm, "DELETE", "/technicians/T-2/account", root, 2)
    assert (gone.status_code, gone.json()["technician_id"]) == (200, None)
    assert problem(send(firm, "DELETE", "/technicians/T-2/account", root, 3)) == (404, "not-found")


@pytest.mark.req("B4")
def test_unlinking_is_no_way_around_the_gate(firm: Company) -> None:
    """Refused while work orders are open; a hold is stored and shows what it waits for."""
    root, person = firm.administrator(), tess(firm)
    assert problem(send(firm, "DELETE", "/technicians/T-1/account", root)) == (422, "refused")
    held = send(firm, "DELETE", "/technicians/T-1/account", root, policy="hold")
    assert held.status_code == 200, held.text
    waits = firm.get(f"/accounts/{person.id}/deactivation", root).json()
    assert (waits["what"], waits["policy"]) == ("change", "hold")
    assert problem(send(firm, "DELETE", f"/accounts/{person.id}/deactivation", root, 2)) == (404, "not-found")


@pytest.mark.req("B3")
def test_who_can_be_given_work_and_why_not(firm: Company, fsm: FakeFieldService) -> None:
    """Whoever administers a branch sees its people; technicians without an account are the whole company's."""
    root, local = firm.administrator(), firm.branch_administrator("local", "hamburg")
    person = tess(firm)
    fsm.add(Technician("T-3", "Theo", None, assignable=True))
    tess(firm, "there", "T-3", branch="berlin")
    found = {each["technician_id"]: each for each in firm.get("/technicians/assignable", root).json()}
    assert (found["T-1"]["assignable"], found["T-1"]["username"]) == (True, person.username)
    assert (found["T-2"]["assignable"], found["T-2"]["account_id"]) == (False, None)
    assert found["T-2"]["reasons"]
    assert [each["technician_id"] for each in firm.get("/technicians/assignable", local).json()] == ["T-1"]
    without = firm.get("/technicians/assignable", root, assignable=False).json()
    assert [each["technician_id"] for each in without] == ["T-2"]
    assert problem(firm.get("/technicians/assignable", root, assignabel=True)) == (400, "bad-parameter")
