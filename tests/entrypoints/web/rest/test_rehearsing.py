"""`dry_run=true`: the answer is that of the real thing, and nothing of it is kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from sync.domain.work.lane import Lane
from sync.store.database.tables import metadata
from tests.entrypoints.web.rest.asking import send
from tests.entrypoints.web.rest.conftest import Company, problem

NEW = {
    "email": "ada@example.com",
    "given_name": "Ada",
    "family_name": "Example",
    "profile": "dispatcher",
    "branch": "hamburg",
}
NOT_COMPARED = {"id", "created_at"}


pytestmark = pytest.mark.usefixtures("fsm")


def everything(firm: Company) -> dict[str, list[Any]]:
    """All rows of our database."""
    with firm.db.read() as tx:
        return {
            name: sorted(map(repr, tx.connection.execute(select(table))))
            for name, table in metadata.tables.items()
            if tx.connection.scalar(select(func.count()).select_from(table))
        }


def rehearse_and_do(firm: Company, woken: list[Lane], method: str, path: str, *given: Any, **content: Any) -> Any:
    """The real answer, which is that of the rehearsal before it but for what only the real one has."""
    before = everything(firm)
    rehearsed = send(firm, method, f"{path}?dry_run=true", *given, **content)
    assert rehearsed.status_code == 200, rehearsed.text
    assert "ETag" not in rehearsed.headers
    assert "Location" not in rehearsed.headers
    assert (everything(firm), woken) == (before, [])
    done = send(firm, method, path, *given, **content)
    assert done.status_code in {200, 201}, done.text
    assert woken == [Lane.INTERACTIVE]
    assert everything(firm) != before
    woken.clear()
    times = NOT_COMPARED | {"requested_at", "deadline"}
    assert {k: v for k, v in rehearsed.json().items() if k not in times} == {
        k: v for k, v in done.json().items() if k not in times
    }
    return done


@pytest.mark.req("B1")
def test_an_account_is_rehearsed_and_made(firm: Company, woken: list[Lane]) -> None:
    """No id is given away by the rehearsal, and the name is still free."""
    root = firm.administrator()
    before = send(firm, "POST", "/accounts?dry_run=true", root, None, **NEW)
    assert (before.status_code, before.json()["id"]) == (200, "")
    made = rehearse_and_do(firm, woken, "POST", "/accounts", root, None, **NEW)
    assert made.status_code == 201


@pytest.mark.req("D3")
def test_changes_links_and_leaving_are_rehearsed_and_done(firm: Company, woken: list[Lane]) -> None:
    """From a change of name to a hold and back, each first without effect."""
    root = firm.administrator()
    tess = firm.join("tess", profile="technician", technician_id="T-2", employee_number="E-1")
    path = f"/accounts/{tess.id}"
    rehearse_and_do(firm, woken, "PATCH", path, root, 1, family_name="Neu")
    rehearse_and_do(firm, woken, "DELETE", "/technicians/T-2/account", root, 2)
    rehearse_and_do(firm, woken, "PUT", "/technicians/T-1/account", root, 3, account_id=tess.id)
    held = rehearse_and_do(firm, woken, "PUT", f"{path}/deactivation", root, 4, policy="hold")
    assert [each["number"] for each in held.json()["work_orders"]] == ["WO-7"]
    rehearse_and_do(firm, woken, "DELETE", f"{path}/deactivation", root, 5)
    rehearse_and_do(firm, woken, "PUT", f"{path}/deactivation", root, 6, policy="force")
    rehearse_and_do(firm, woken, "PUT", f"{path}/reactivation", root, 7)


@pytest.mark.req("D1")
def test_what_would_be_refused_is_refused_in_a_rehearsal(firm: Company, woken: list[Lane]) -> None:
    """By the same code; a misspelt parameter does nothing, and acts have no rehearsal."""
    root = firm.administrator()
    tess = firm.join("tess", profile="technician", technician_id="T-1", employee_number="E-1")
    before = everything(firm)
    path = f"/accounts/{tess.id}"
    taken = NEW | {"employee_number": "E-1"}
    for method, where, version, content, refusal in (
        ("PUT", f"{path}/deactivation?dry_run=true", 1, {}, (422, "refused")),
        ("PATCH", f"{path}?dry_run=true", 9, {"family_name": "Neu"}, (412, "changed-since")),
        ("PATCH", f"{path}?dry_run=true", None, {"family_name": "Neu"}, (428, "precondition-required")),
        ("POST", "/accounts?dry_run=true", None, taken, (422, "refused")),
        ("POST", "/accounts?dryRun=true", None, NEW, (400, "bad-parameter")),
        ("POST", f"{path}/acts?dry_run=true", None, {"kind": "unlock"}, (400, "bad-parameter")),
    ):
        assert problem(send(firm, method, where, root, version, **content)) == refusal
    assert (everything(firm), woken) == (before, [])
