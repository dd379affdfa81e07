"""An operator over the API: lanes, circuits, quarantine, mails; with or without administering accounts."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from mappings.loading import load_texts, read_texts
from sync.commands.mappings.in_force import put_in_force
from sync.domain.accounts.account import Account
from sync.domain.work.lane import Lane
from sync.store import mappings
from sync.store.database.tables import provisioning
from tests.callers import NOW, wanted_by
from tests.entrypoints.web.rest.asking import ask
from tests.entrypoints.web.rest.conftest import Company, problem


def quarantine(firm: Company, account: Account) -> None:
    """As a worker leaves it that met another user of the same name."""
    told = {"quarantine_kind": "conflict", "quarantine_code": "name-taken", "quarantine_reason": "somebody has it"}
    with firm.db.write() as tx:
        tx.connection.execute(update(provisioning).where(provisioning.c.account_id == account.id).values(**told))


@pytest.mark.req("H3")
def test_a_lane_is_paused_and_goes_on(firm: Company, woken: list[Lane]) -> None:
    """The status says who paused it and why; twice is refused."""
    root = firm.administrator()
    paused = ask(firm, "POST", "/operations/lanes/bulk/pause", root, reason="Keycloak is upgraded")
    assert (paused.status_code, paused.json()["pause"]["paused_by"]) == (200, "root@example.com"), paused.text
    again = ask(firm, "POST", "/operations/lanes/bulk/pause", root, reason="again")
    assert problem(again) == (422, "refused")
    lanes = {each["lane"]: each["pause"] for each in firm.get("/operations", root).json()["lanes"]}
    assert (lanes["bulk"]["reason"], lanes["interactive"]) == ("Keycloak is upgraded", None)
    assert woken == []
    resumed = ask(firm, "POST", "/operations/lanes/bulk/resume", root, reason="it is back")
    assert resumed.json()["pause"] is None
    assert woken == [Lane.BULK]


@pytest.mark.req("H2", "H3")
def test_accounts_in_quarantine_are_tried_again(firm: Company, woken: list[Lane]) -> None:
    """By their code; it takes saying which."""
    root, ada = firm.administrator(), firm.join("ada")
    quarantine(firm, ada)
    (group,) = firm.get("/operations/quarantine", root).json()
    assert (group["code"], group["count"], group["accounts"][0]["username"]) == ("name-taken", 1, ada.username)
    for wrong in ({}, {"code": "name-taken", "everything": True}):
        answer = ask(firm, "POST", "/operations/quarantine/retry", root, reason="renamed", **wrong)
        assert problem(answer) == (422, "bad-content")
    tried = ask(firm, "POST", "/operations/quarantine/retry", root, reason="renamed", code="name-taken")
    assert (tried.status_code, tried.json()) == (202, {"count": 1})
    assert woken == [Lane.INTERACTIVE, Lane.BULK]
    assert firm.get("/operations/quarantine", root).json() == []
    assert firm.get(f"/accounts/{ada.id}", root).json()["provisioning"]["state"] == "wanted"


@pytest.mark.req("H2")
def test_circuits_are_shown_and_closed(firm: Company) -> None:
    """One that is closed takes no probe."""
    root = firm.administrator()
    shown = firm.get("/operations/circuits", root).json()
    assert {each["name"]: each["state"] for each in shown}["keycloak"] == "closed"
    probed = ask(firm, "POST", "/operations/circuits/keycloak/probe", root, reason="mended")
    assert problem(probed) == (422, "refused")
    closed = ask(firm, "POST", "/operations/circuits/keycloak/close", root, reason="mended")
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")


@pytest.mark.req("I4")
def test_who_looks_after_the_work_administers_nobody(firm: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile with `operations` alone: queues and lanes, and no account but the own. Who keeps the accounts of
    one branch is no operator."""
    files = dict(read_texts())
    files["profiles.toml"] += (
        '\n[profiles.operator]\ntitle = "Operator"\nrank = 95\nfeatures = ["operations"]\n'
        'default_data_access = "global"\nhighest_data_access = "global"\nsecond_factor = true\n'
        "session_cap = 1\nfield_work = false\n"
    )
    policy = load_texts(files, "with an operator")
    monkeypatch.setattr("tests.entrypoints.web.rest.conftest.POLICY", policy)
    with firm.db.write() as tx:
        mappings.adopt_one_at_a_time(tx)
        put_in_force(tx, None, files, policy.fingerprint, wanted_by("lee", "an operator"), NOW)
    opal = firm.join("opal", profile="operator", branch=None)
    assert firm.get("/operations", opal).status_code == 200
    assert ask(firm, "POST", "/operations/lanes/mail/pause", opal, reason="the server moves").status_code == 200
    for path in ("/accounts", f"/accounts/{opal.id}", "/runs", "/drift", "/catalog"):
        assert problem(firm.get(path, opal)) == (403, "not-allowed"), path

    local = firm.branch_administrator("local", "hamburg")
    assert problem(firm.get("/operations", local)) == (403, "not-allowed")
    denied = ask(firm, "POST", "/operations/lanes/mail/resume", local, reason="mine")
    assert problem(denied) == (403, "not-allowed")


def test_mails_that_failed_are_named_to_be_sent_again(firm: Company) -> None:
    """One that is not there is not found, and nothing is sent."""
    root = firm.administrator()
    assert firm.get("/operations/mails", root).json() == []
    answer = ask(firm, "POST", "/operations/mails/resend", root, reason="mended", ids=["0192f0c1"])
    assert problem(answer) == (404, "not-found")
