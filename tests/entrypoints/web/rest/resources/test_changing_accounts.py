"""Accounts are created and changed over the API; nobody changes what somebody else has just changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from sync.domain.accounts.account import Account
from sync.domain.work.lane import Lane
from sync.entrypoints.web.rest.resources.accounts import changes
from sync.store.database.tables import account as account_table
from tests.entrypoints.web.rest.asking import ask
from tests.entrypoints.web.rest.conftest import Company, problem

NEW = {
    "email": "Ada.Example@example.com",
    "given_name": "Ada",
    "family_name": "Example",
    "profile": "dispatcher",
    "branch": "hamburg",
    "reason": "hired",
}


def patch(firm: Company, who: Account, by: Account, version: str | None, **content: Any) -> Any:
    headers = {"Authorization": f"Bearer {firm.token(by)}"} | ({} if version is None else {"If-Match": version})
    return firm.api.patch(f"/api/v1/accounts/{who.id}", headers=headers, json={"reason": "as agreed"} | content)


def accounts_of(firm: Company) -> int:
    with firm.db.read() as tx:
        return int(tx.connection.scalars(select(func.count()).select_from(account_table)).one())


@pytest.mark.req("B1")
def test_an_account_is_made_and_told_as_it_is_read(firm: Company, woken: list[Lane]) -> None:
    """201 with where it is; the workers are woken, and the history says who made it through which door."""
    root = firm.administrator()
    made = ask(firm, "POST", "/accounts", root, **NEW)
    assert made.status_code == 201, made.text
    body = made.json()
    assert (made.headers["Location"], made.headers["ETag"]) == (f"/api/v1/accounts/{body['id']}", '"1"')
    assert (body["username"], body["provisioning"]["state"]) == ("ada.example@example.com", "wanted")
    read = firm.api.get(made.headers["Location"], headers={"Authorization": f"Bearer {firm.token(root)}"})
    assert (read.json(), read.headers["ETag"]) == (body, '"1"')
    assert woken == [Lane.INTERACTIVE]
    (asked,) = (
        each for each in firm.get(f"/accounts/{body['id']}/timeline", root).json() if each["kind"] == "asked"
    )
    assert (asked["actor"], asked["door"], asked["reason"]) == ("root@example.com", "rest", "hired")


@pytest.mark.req("A2")
def test_all_that_is_wrong_with_a_joiner_is_told_at_once(firm: Company, woken: list[Lane]) -> None:
    """Each by where it stands; nothing is stored."""
    root = firm.administrator()
    firm.join("ada.example")
    stored = accounts_of(firm)
    wrong = NEW | {"given_name": "", "valid_until": "2020-01-01", "attributes": {"a/b": "x"}}
    answer = ask(firm, "POST", "/accounts", root, **wrong)
    assert problem(answer) == (422, "refused")
    assert {"/given_name", "/valid_until", "/username", "/attributes/a~1b"} <= {
        each["pointer"] for each in answer.json()["errors"]
    }
    unknown = ask(firm, "POST", "/accounts", root, **(NEW | {"mail": "x", "valid_from": 3}))
    assert problem(unknown) == (422, "bad-content")
    assert {each["pointer"] for each in unknown.json()["errors"]} == {"/mail", "/valid_from"}
    silent = {name: value for name, value in NEW.items() if name != "reason"}
    assert problem(ask(firm, "POST", "/accounts", root, **silent)) == (422, "bad-content")
    assert problem(ask(firm, "POST", "/accounts", root, **(NEW | {"reason": "  "}))) == (422, "refused")
    assert (accounts_of(firm), woken) == (stored, [])


@pytest.mark.req("I4")
def test_who_administers_a_branch_is_not_told_who_has_a_name(firm: Company) -> None:
    """One text for the own branch and for another; who administers everything is told whose it is."""
    local = firm.branch_administrator("local", "hamburg")
    firm.join("here", employee_number="E-1")
    firm.join("there", branch="berlin", employee_number="E-2")
    told = set()
    for taken in (
        {"username": "here@example.com"},
        {"username": "there@example.com"},
        {"employee_number": "E-1"},
        {"employee_number": "E-2"},
    ):
        answer = ask(firm, "POST", "/accounts", local, **(NEW | taken))
        assert problem(answer) == (422, "refused")
        (error,) = answer.json()["errors"]
        assert error.pop("pointer") == f"/{next(iter(taken))}"
        told.add(tuple(sorted(error.items())))
    assert len(told) == 1
    assert dict(next(iter(told)))["code"] == "not-available"
    plainly = ask(firm, "POST", "/accounts", firm.administrator(), **(NEW | {"employee_number": "E-2"}))
    assert "there@example.com" in plainly.json()["errors"][0]["reason"]


@pytest.mark.req("A2")
def test_a_likely_second_account_is_told_to_who_sees_it(firm: Company) -> None:
    """One of another branch is for who administers the whole company, and nothing of it is shown to others."""
    local, root = firm.branch_administrator("local", "hamburg"), firm.administrator()
    elsewhere = firm.join("ada.example", branch="berlin")
    new = NEW | {"email": "ada.example@example.org"}
    for sure in (False, True):
        answer = ask(firm, "POST", "/accounts", local, **(new | {"even_if_similar": sure}))
        assert problem(answer) == (422, "refused")
        assert answer.json()["errors"][0]["code"] == "of-the-whole-company"
        assert elsewhere.username not in answer.text
    asked = ask(firm, "POST", "/accounts", root, **new)
    assert asked.json()["errors"][0]["code"] == "similar"
    assert elsewhere.username in asked.text
    assert ask(firm, "POST", "/accounts", root, **(new | {"even_if_similar": True})).status_code == 201
    assert problem(ask(firm, "POST", "/accounts", local, **(new | {"branch": "berlin"}))) == (403, "not-allowed")


@pytest.mark.req("B4")
def test_left_out_null_and_a_value_are_three_things(firm: Company, woken: list[Lane]) -> None:
    """What is left out stays, null takes away; null for what an account must have is refused."""
    root, ada = firm.administrator(), firm.join("ada", employee_number="E-1", team=None)
    changed = patch(firm, ada, root, '"1"', employee_number=None, family_name="Neu")
    assert changed.status_code == 200, changed.text
    body = changed.json()
    assert (changed.headers["ETag"], body["version"]) == ('"2"', 2)
    assert (body["employee_number"], body["family_name"], body["given_name"]) == (None, "Neu", "Pat")
    assert firm.now(ada) == replace(ada, employee_number=None, family_name="Neu")
    woken.clear()
    assert problem(patch(firm, ada, root, '"2"', email=None)) == (422, "bad-content")
    nothing = patch(firm, ada, root, '"2"')
    assert problem(nothing) == (422, "refused")
    same = patch(firm, ada, root, '"2"', family_name="Neu")
    assert (same.status_code, same.headers["ETag"]) == (200, '"2"')


@pytest.mark.req("I4")
def test_scope_comes_before_the_version_and_the_version_before_the_content(firm: Company) -> None:
    """What lies in another branch is not there, whatever else is wrong."""
    local = firm.branch_administrator("local", "hamburg")
    here, there = firm.join("here"), firm.join("there", branch="berlin")
    nobody = replace(here, id="0192f0c1-0000-7000-8000-00000000ffff")
    for gone in (there, nobody):
        assert problem(patch(firm, gone, local, None, colour="red")) == (404, "not-found")
    for no_version in (None, "*", " * "):
        assert problem(patch(firm, here, local, no_version, colour="red")) == (428, "precondition-required")
    for no_tag in ("1", 'W/"1"', '"1", "2"', '"x"'):
        assert problem(patch(firm, here, local, no_tag, colour="red")) == (400, "bad-parameter")
    assert problem(patch(firm, here, local, '"7"', colour="red")) == (412, "changed-since")
    assert problem(patch(firm, here, local, '"1"', colour="red")) == (422, "bad-content")
    assert firm.now(here) == here


@pytest.mark.req("A7")
def test_whoever_comes_second_is_told_field_by_field(firm: Company) -> None:
    """Mine, theirs, and what it was in the version that was looked at."""
    root, other, ada = firm.administrator(), firm.administrator("other"), firm.join("ada")
    assert patch(firm, ada, other, '"1"', family_name="Theirs", employee_number="E-9").status_code == 200
    second = patch(firm, ada, root, '"1"', family_name="Mine", branch="berlin")
    assert problem(second) == (412, "changed-since")
    assert second.headers["ETag"] == '"2"'
    found = {each["pointer"]: each for each in second.json()["errors"]}
    assert {name: (each.get("mine"), each["theirs"], each["was"]) for name, each in found.items()} == {
        "/family_name": ("Mine", "Theirs", "Ada"),
        "/branch": ("berlin", "hamburg", "hamburg"),
        "/employee_number": (None, "E-9", None),
    }
    assert "mine" not in found["/employee_number"]
    assert firm.now(ada).family_name == "Theirs"
    assert patch(firm, ada, root, second.headers["ETag"], branch="berlin").status_code == 200


def test_what_cannot_be_known_of_the_old_version_is_left_out(firm: Company) -> None:
    """Of a version that never was, only mine and theirs are told."""
    root, ada = firm.administrator(), firm.join("ada")
    (error,) = patch(firm, ada, root, '"9"', family_name="Mine").json()["errors"]
    assert (error["mine"], error["theirs"], "was" in error) == ("Mine", "Ada", False)


@pytest.mark.req("A7")
def test_the_version_is_compared_again_where_it_is_stored(firm: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is quicker between the look at the door and the commit: nothing of the second is stored."""
    root, other, ada = firm.administrator(), firm.administrator("other"), firm.join("ada")
    command = changes.change_account

    def late(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(changes, "change_account", command)
        assert patch(firm, ada, other, '"1"', given_name="Theirs").status_code == 200
        return command(*given, **named)

    monkeypatch.setattr(changes, "change_account", late)
    second = patch(firm, ada, root, '"1"', family_name="Mine")
    assert problem(second) == (412, "changed-since")
    assert (firm.now(ada).given_name, firm.now(ada).family_name) == ("Theirs", "Ada")


@pytest.mark.parametrize(
    "wrong",
    [
        {"given_name": "A\x00da"},
        {"reason": "hi\x00red"},
        {"email": ["ada@example.com"]},
        {"branch": 5},
        {"attributes": {"vehicle": {"deep": 1}}},
        {"valid_from": "someday"},
        {"valid_from": "2026-02-30"},
        {"employee_number": "E\x00"},
        {"technician_id": "\x00"},
        {"family_name": "x" * 5000},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_cannot_be_kept_is_refused_where_it_stands(firm: Company, wrong: dict[str, Any]) -> None:
    """422 with a pointer into the content, and nothing is stored."""
    root = firm.administrator()
    stored = accounts_of(firm)
    answer = ask(firm, "POST", "/accounts", root, **(NEW | wrong))
    assert problem(answer) in {(422, "refused"), (422, "bad-content")}
    assert any(each["pointer"].startswith(f"/{next(iter(wrong))}") for each in answer.json()["errors"])
    assert accounts_of(firm) == stored


def test_a_lone_surrogate_is_refused(firm: Company) -> None:
    """JSON can write one, and no text of ours can have it."""
    root = firm.administrator()
    headers = {"Authorization": f"Bearer {firm.token(root)}", "Content-Type": "application/json"}
    for name in ("given_name", "reason"):
        content = json.dumps(NEW | {name: "\ud800"})
        answer = firm.api.post("/api/v1/accounts", headers=headers, content=content)
        assert problem(answer) == (422, "bad-content")
