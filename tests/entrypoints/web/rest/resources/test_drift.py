"""What Keycloak holds and nobody wanted, decided over the API."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sync.domain.accounts.account import Account
from sync.domain.provisioning.aspect import Aspect, Deviation
from sync.domain.work.lane import Lane
from sync.store.drift import findings
from sync.store.drift.findings import Finding, Subject
from tests.claiming import JOB
from tests.entrypoints.web.rest.asking import ask
from tests.entrypoints.web.rest.conftest import Company, problem


def moved(firm: Company, person: Account) -> Finding:
    """Somebody moved the person to Berlin in Keycloak's console."""
    subject = Subject(person.id, person.username, person.id, person.idp_user_id)
    branch = Deviation(Aspect.BRANCH, "hamburg", "berlin")
    with firm.db.write() as tx:
        return findings.found(tx, JOB, subject, branch, "report", datetime.now(UTC))


@pytest.mark.req("G4")
def test_what_was_found_is_taken_over_with_a_reason(firm: Company) -> None:
    """The account is wanted in Berlin from then on, and the decision says whose it is."""
    root, ada = firm.administrator(), firm.join("ada")
    finding = moved(firm, ada)
    (listed,) = firm.get("/drift/findings", root).json()["items"]
    assert (listed["id"], listed["wanted"], listed["found"], listed["account_id"]) == (
        finding.id,
        "hamburg",
        "berlin",
        ada.id,
    )
    assert firm.get("/drift", root).json()["open"] == {"branch": 1}
    path = f"/drift/findings/{finding.id}/acceptance"
    assert problem(ask(firm, "PUT", path, root)) == (422, "bad-content")
    accepted = ask(firm, "PUT", path, root, reason="she works there now")
    assert accepted.status_code == 200, accepted.text
    assert accepted.json()["decided_by"] == "root@example.com (rest): she works there now"
    assert firm.now(ada).branch == "berlin"
    entry = firm.get(f"/accounts/{ada.id}/timeline", root).json()[-1]
    assert (entry["actor"], entry["reason"]) == ("root@example.com", "she works there now")


@pytest.mark.req("G4")
def test_what_was_found_is_repaired_by_the_workers(firm: Company, woken: list[Lane]) -> None:
    """202, and the account stays wanted as it was."""
    root, ada = firm.administrator(), firm.join("ada")
    finding = moved(firm, ada)
    asked = ask(firm, "PUT", f"/drift/findings/{finding.id}/repair", root, reason="nobody agreed to it")
    assert (asked.status_code, asked.headers["Location"]) == (202, f"/api/v1/drift/findings/{finding.id}")
    assert asked.json()["repair_asked_at"] is not None
    assert woken == [Lane.INTERACTIVE]
    assert firm.now(ada).branch == "hamburg"


@pytest.mark.req("I4")
def test_findings_are_for_who_administers_the_whole_company(firm: Company) -> None:
    """Also about people of the own branch; one that does not exist is not found."""
    finding = moved(firm, firm.join("ada"))
    local, root = firm.branch_administrator("local", "hamburg"), firm.administrator()
    for path in ("/drift", "/drift/findings", f"/drift/findings/{finding.id}"):
        assert problem(firm.get(path, local)) == (403, "not-allowed")
    denied = ask(firm, "PUT", f"/drift/findings/{finding.id}/acceptance", local, reason="mine")
    assert problem(denied) == (403, "not-allowed")
    assert problem(firm.get("/drift/findings/none", root)) == (404, "not-found")
    assert firm.get(f"/drift/findings/{finding.id}", root).json()["state"] == "open"


def test_findings_are_listed_page_by_page(firm: Company) -> None:
    """The oldest first, each once."""
    root = firm.administrator()
    made = [moved(firm, firm.join(name)).id for name in ("ada", "bea", "cem")]
    first = firm.get("/drift/findings", root, limit=2).json()
    second = firm.get("/drift/findings", root, limit=2, cursor=first["next"]).json()
    assert [each["id"] for each in first["items"] + second["items"]] == made
    assert second["next"] is None
    assert firm.get("/drift/findings", root, state="gone").json()["items"] == []
