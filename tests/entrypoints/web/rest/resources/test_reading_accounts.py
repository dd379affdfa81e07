"""Accounts over the API: what the caller administers, and nothing else exists."""

from __future__ import annotations

from typing import Any

import pytest

from sync.entrypoints.web.rest import cursors
from tests.entrypoints.web.rest.conftest import Company, problem


def usernames(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["username"].partition("@")[0] for each in answer.json()["items"]]


@pytest.fixture
def two_branches(firm: Company) -> Company:
    """Ada in Hamburg, Bea in Berlin, Cem of the whole company."""
    firm.join("ada")
    firm.join("bea", branch="berlin")
    firm.join("cem", profile="accountant", branch=None)
    return firm


@pytest.mark.req("I4")
def test_who_administers_a_branch_sees_that_branch(two_branches: Company) -> None:
    """The whole company's accounts are not in any branch; counts and searches know no more than lists."""
    root = two_branches.administrator()
    local = two_branches.branch_administrator("local", "hamburg")
    assert usernames(two_branches.get("/accounts", root)) == ["ada", "bea", "cem", "local", "root"]
    assert usernames(two_branches.get("/accounts", local)) == ["ada", "local"]
    assert two_branches.get("/accounts", local, count=True).json()["count"] == 2
    assert usernames(two_branches.get("/accounts", local, text="bea")) == []
    assert usernames(two_branches.get("/accounts", local, branch="berlin")) == []


@pytest.mark.req("I4")
def test_an_address_with_nul_names_nothing(two_branches: Company) -> None:
    """PostgreSQL refuses such a text, which would be an error of ours."""
    root = two_branches.administrator()
    assert problem(two_branches.get("/accounts/%00", root)) == (404, "not-found")
    assert problem(two_branches.get("/accounts/%00/timeline", root)) == (404, "not-found")
    assert problem(two_branches.get("/accounts", root, text="a\0")) == (400, "bad-parameter")


@pytest.mark.req("I4")
def test_who_administers_nobody_has_the_own_record_alone(two_branches: Company) -> None:
    """A dispatcher sees the own account, and is told why not more."""
    ada = two_branches.join("dora")
    assert problem(two_branches.get("/accounts", ada)) == (403, "not-allowed")
    assert problem(two_branches.get(f"/accounts/{ada.id}", ada)) == (403, "not-allowed")
    own = two_branches.get("/me", ada).json()
    assert (own["account"]["username"], own["administers"]) == ("dora@example.com", None)


@pytest.mark.req("I4")
def test_an_account_of_another_branch_is_as_one_that_does_not_exist(two_branches: Company) -> None:
    """The two answers differ in the id of the request and the id that was asked for alone."""
    local = two_branches.branch_administrator("local", "hamburg")
    bea = two_branches.join("bella", branch="berlin")

    def told(account_id: str, path: str) -> str:
        answer = two_branches.get(f"/accounts/{account_id}{path}", local)
        assert problem(answer) == (404, "not-found")
        body = answer.json()
        del body["instance"]
        return str(body).replace(account_id, "…")

    for path in ("", "/timeline"):
        assert told(bea.id, path) == told("0192f0c1-0000-7000-8000-00000000ffff", path)


def test_one_account_with_its_version_and_how_far_it_is(two_branches: Company) -> None:
    """No worker has run: everything is wanted and nothing is in Keycloak."""
    root = two_branches.administrator()
    answer = two_branches.get(f"/accounts/{root.id}", root)
    body = answer.json()
    assert answer.headers["ETag"] == '"1"'
    assert (body["email"], body["profile"], body["life"], body["version"]) == (
        "root@example.com",
        "administrator",
        "active",
        1,
    )
    assert body["provisioning"] == {
        "state": "wanted",
        "wanted_version": 1,
        "applied_version": None,
        "reason": None,
    }
    (entry,) = two_branches.get(f"/accounts/{root.id}/timeline", root).json()
    assert (entry["title"], entry["actor"], entry["reason"]) == ("create", "dana", "because the test says so")


def test_a_long_list_goes_on_where_it_was(two_branches: Company) -> None:
    """Page by page everybody once."""
    root, found, cursor = two_branches.administrator(), [], None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        page = two_branches.get("/accounts", root, limit=2, **more)
        found += usernames(page)
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert found == ["ada", "bea", "cem", "root"]


def test_a_cursor_is_good_for_its_own_list_alone(two_branches: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for another filter, not for another caller, not changed, not after an hour."""
    root, other = two_branches.administrator(), two_branches.administrator("other")
    cursor = two_branches.get("/accounts", root, limit=1).json()["next"]
    assert two_branches.get("/accounts", root, cursor=cursor, limit=2).status_code == 200
    assert problem(two_branches.get("/accounts", root, cursor=cursor, branch="berlin")) == (400, "bad-cursor")
    assert problem(two_branches.get("/accounts", other, cursor=cursor)) == (400, "bad-cursor")
    assert problem(two_branches.get("/accounts", root, cursor=f"{cursor}x")) == (400, "bad-cursor")
    assert problem(two_branches.get("/accounts", root, cursor="ada@example.com")) == (400, "bad-cursor")
    monkeypatch.setattr(cursors, "GOOD_FOR", -1)
    assert problem(two_branches.get("/accounts", root, cursor=cursor)) == (400, "bad-cursor")


@pytest.mark.parametrize(
    ("path", "wrong", "named"),
    [
        ("/accounts", {"dryRun": "true"}, "dryRun"),
        ("/accounts", {"limit": "0"}, "limit"),
        ("/accounts", {"limit": "many"}, "limit"),
        ("/accounts", {"life": "asleep"}, "life"),
        ("/me", {"verbose": "1"}, "verbose"),
        ("/accounts/any", {"fields": "email"}, "fields"),
    ],
)
def test_a_parameter_that_nobody_knows_is_named(
    two_branches: Company, path: str, wrong: dict[str, str], named: str
) -> None:
    """Passing it over would answer another question."""
    answer = two_branches.get(path, two_branches.administrator(), **wrong)
    assert problem(answer) == (400, "bad-parameter")
    assert [each["parameter"] for each in answer.json()["errors"]] == [named]


def test_while_the_database_is_away_the_answer_says_when_to_come_again(
    two_branches: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 as a problem, without an address."""
    token = two_branches.token(two_branches.administrator())
    monkeypatch.setattr("sync.store.accounts.accounts.by_idp_user_id", _away)
    answer = two_branches.get("/me", token)
    assert problem(answer) == (503, "not-available-now")
    assert int(answer.headers["Retry-After"]) > 0


def test_what_nobody_foresaw_tells_nothing_but_its_id(
    two_branches: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the error may be anybody's."""
    token = two_branches.token(two_branches.administrator())
    monkeypatch.setattr("sync.store.accounts.accounts.by_idp_user_id", _broken)
    answer = two_branches.get("/me", token)
    assert problem(answer) == (500, "unforeseen")
    assert "secret" not in answer.text


def test_an_address_that_nobody_knows_is_a_problem_and_no_page(two_branches: Company) -> None:
    """Programs cannot read pages."""
    assert problem(two_branches.get("/acounts", two_branches.administrator())) == (404, "not-found")
    wrong = two_branches.api.request("DELETE", "/api/v1/accounts")
    assert problem(wrong) == (405, "method-not-allowed")


def _away(*_: object) -> None:
    from sync.domain.errors import Transient

    raise Transient("database 10.0.0.1 does not answer", system="database")


def _broken(*_: object) -> None:
    raise KeyError("a secret")
