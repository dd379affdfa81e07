"""Runs over the API: an import that makes somebody an administrator is held, and two people let it go on."""

from __future__ import annotations

from typing import Any

import pytest

from sync.commands.imports.review import ImportOptions, review
from sync.domain.work.lane import Lane
from sync.store.runs.runs import Run
from tests.callers import wanted_by
from tests.commands.imports.import_sites import person, staff_file
from tests.entrypoints.web.rest.asking import ask, desk_of
from tests.entrypoints.web.rest.conftest import Company, problem


def reviewed(firm: Company, first: int = 1, **columns: str) -> Run:
    staff = staff_file(*(person(number, **columns) for number in range(first, first + 3)))
    return review(desk_of(firm), staff, "staff.csv", wanted_by("kim", "new season"), ImportOptions()).run


@pytest.mark.req("E7")
def test_what_the_guard_holds_takes_two_people(firm: Company, woken: list[Lane]) -> None:
    """Who confirmed it cannot approve it, another plan is not approved, and what is approved goes to the
    workers."""
    root, other = firm.administrator(), firm.administrator("other")
    run = reviewed(firm, Profil="Administrator")
    path, plan = f"/runs/{run.id}", {"fingerprint": run.fingerprint, "reason": "as agreed"}

    confirmed = ask(firm, "PUT", f"{path}/confirmation", root, **plan)
    assert confirmed.status_code == 202, confirmed.text
    assert (confirmed.status_code, confirmed.headers["Location"]) == (202, f"/api/v1{path}")
    body = confirmed.json()
    assert (body["state"], body["confirmed_by"]["name"], body["confirmed_by"]["door"]) == (
        "held",
        "root@example.com",
        "rest",
    )
    assert "3 accounts" in body["held_reasons"][0]
    woken.clear()

    assert problem(ask(firm, "PUT", f"{path}/approval", root, **plan)) == (403, "not-allowed")
    wrong = ask(firm, "PUT", f"{path}/approval", other, fingerprint="0" * 16, reason="as agreed")
    assert problem(wrong) == (422, "refused")
    assert woken == []
    approved = ask(firm, "PUT", f"{path}/approval", other, **plan)
    assert (approved.status_code, approved.json()["state"]) == (202, "confirmed")
    assert woken == [Lane.BULK]
    again = ask(firm, "PUT", f"{path}/approval", other, **plan)
    assert problem(again) == (422, "refused")
    assert "approved by other@example.com already" in again.json()["errors"][0]["reason"]


@pytest.mark.req("E7")
def test_a_held_run_is_rejected_and_a_confirmed_one_called_off(firm: Company) -> None:
    """Nothing of either is applied."""
    root = firm.administrator()
    held = reviewed(firm, Profil="Administrator")
    ask(firm, "PUT", f"/runs/{held.id}/confirmation", root, fingerprint=held.fingerprint, reason="as agreed")
    rejected = ask(firm, "PUT", f"/runs/{held.id}/rejection", root, reason="a mistake")
    assert (rejected.status_code, rejected.json()["state"]) == (200, "cancelled")

    plain = reviewed(firm, first=11)
    sent = ask(firm, "PUT", f"/runs/{plain.id}/confirmation", root, fingerprint=plain.fingerprint, reason="new")
    assert sent.json()["state"] == "confirmed"
    off = ask(firm, "PUT", f"/runs/{plain.id}/cancellation", root, reason="too early")
    assert (off.status_code, off.json()["state"], off.json()["progress"]["applied"]) == (200, "cancelled", 0)


@pytest.mark.req("F3")
def test_rows_are_read_page_by_page_and_as_a_table(firm: Company) -> None:
    """Each row once, with its verdict; a cursor of another run leads nowhere."""
    root = firm.administrator()
    run, other = reviewed(firm), reviewed(firm, first=11)
    found: list[Any] = []
    more: dict[str, str] = {}
    while True:
        page = firm.get(f"/runs/{run.id}/rows", root, limit=2, **more).json()
        found += page["items"]
        if page["next"] is None:
            break
        more = {"cursor": page["next"]}
    assert [(each["number"], each["verdict"]) for each in found] == [(n, "create") for n in (3, 4, 5)]
    assert problem(firm.get(f"/runs/{other.id}/rows", root, **more)) == (400, "bad-cursor")

    table = firm.get(f"/runs/{run.id}/rows.csv", root)
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = table.content.decode("utf-8-sig").splitlines()
    assert (lines[0].split(";")[:4], len(lines)) == (["row", "account", "who", "verdict"], 4)
    assert all("create" in each for each in lines[1:])


def test_runs_are_listed_the_newest_first(firm: Company) -> None:
    """Page by page each once, by kind and state."""
    root = firm.administrator()
    made = [reviewed(firm, first=10 * number).id for number in range(1, 4)]
    first = firm.get("/runs", root, limit=2).json()
    second = firm.get("/runs", root, limit=2, cursor=first["next"]).json()
    assert [each["id"] for each in first["items"] + second["items"]] == made[::-1]
    assert second["next"] is None
    assert firm.get("/runs", root, state="held").json()["items"] == []
    assert len(firm.get("/runs", root, kind="import").json()["items"]) == 3


@pytest.mark.req("I4")
def test_runs_are_for_who_administers_the_whole_company(firm: Company) -> None:
    """Whoever administers one branch is told so and changes nothing, whether the run exists or not."""
    local, run = firm.branch_administrator("local", "hamburg"), reviewed(firm)
    plan = {"fingerprint": run.fingerprint, "reason": "mine"}
    for method, path, content in (
        ("PUT", f"/runs/{run.id}/confirmation", plan),
        ("PUT", f"/runs/{run.id}/cancellation", {"reason": "mine"}),
        ("PUT", "/runs/none/cancellation", {"reason": "mine"}),
    ):
        assert problem(ask(firm, method, path, local, **content)) == (403, "not-allowed")
    root = firm.administrator()
    assert firm.get(f"/runs/{run.id}", root).json()["state"] == "reviewed"
    assert problem(ask(firm, "PUT", "/runs/none/rejection", root, reason="gone")) == (404, "not-found")


def test_what_is_not_said_why_or_not_known_is_refused_by_name(firm: Company) -> None:
    """A misspelt member does nothing."""
    root, run = firm.administrator(), reviewed(firm)
    answer = ask(firm, "PUT", f"/runs/{run.id}/confirmation", root, finger=run.fingerprint)
    assert problem(answer) == (422, "bad-content")
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/finger", "/fingerprint", "/reason"}
    assert firm.get(f"/runs/{run.id}", root).json()["state"] == "reviewed"
