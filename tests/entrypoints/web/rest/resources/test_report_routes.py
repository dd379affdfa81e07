"""/reports over the API: who had access when, and whose account nobody uses, of whom the caller administers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync.commands.accounts.change import change
from sync.commands.deactivation.deactivate import deactivate
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy
from tests.entrypoints.web.rest.conftest import BY, POLICY, Company, problem

pytestmark = pytest.mark.req("G2", "I2")


def names(answer: list[dict[str, str]]) -> list[str]:
    return [each["username"].partition("@")[0] for each in answer]


@pytest.fixture
def people(firm: Company) -> list[Account]:
    """Ada and Cem in Hamburg, Bea in Berlin; no worker runs here."""
    return [firm.join("ada"), firm.join("bea", branch="berlin"), firm.join("cem")]


def test_access_at_a_moment_with_who_wanted_it(firm: Company, people: list[Account]) -> None:
    """What was wanted then, and not what is now; Keycloak's side is not known where no worker has looked."""
    root, ada = firm.administrator(), people[0]
    then = datetime.now(UTC)
    with firm.db.write() as tx:
        change(tx, POLICY, ada.id, AccountChange(profile="manager"), BY, datetime.now(UTC))
        deactivate(tx, POLICY, ada.id, GatePolicy.HOLD, BY, datetime.now(UTC))
    [row] = firm.get("/reports/access", root, at=then.isoformat(), account_id=ada.id).json()["items"]
    assert (row["access"], row["keycloak_known"], row["keycloak"]) == ("not known", False, None)
    assert (row["wanted"]["profile"], row["wanted"]["life"]) == ("dispatcher", "active")
    assert "scheduling" in row["wanted"]["features"]
    assert (row["wanted"]["given"]["by"], row["wanted"]["given"]["reason"]) == ("dana", "because the test says so")
    [row] = firm.get("/reports/access", root, account_id=ada.id).json()["items"]
    assert (row["wanted"]["profile"], row["wanted"]["life"]) == ("manager", "inactive")
    assert "scheduling" not in row["wanted"]["features"]
    managers = firm.get("/reports/access", root, profile="manager").json()
    assert names(managers["items"]) == ["ada"]
    assert firm.get("/reports/access", root, at=then.isoformat(), profile="manager").json()["items"] == []


def test_the_report_is_read_page_by_page(firm: Company, people: list[Account]) -> None:
    """All pages are of one moment: whoever joins in between is in none of them."""
    root = firm.administrator("zoe")
    first = firm.get("/reports/access", root, limit=2).json()
    assert names(first["items"]) == ["ada", "bea"]
    firm.join("dora")
    rest = firm.get("/reports/access", root, limit=2, cursor=first["next"]).json()
    assert (names(rest["items"]), rest["next"], rest["at"]) == (["cem", "zoe"], None, first["at"])
    other = firm.get("/reports/access", root, limit=2, cursor=first["next"], branch="berlin")
    assert problem(other) == (400, "bad-cursor")
    assert names(firm.get("/reports/access", root, branch="berlin").json()["items"]) == ["bea"]


def test_a_moment_that_means_nothing_is_refused(firm: Company) -> None:
    """Without a zone, to come, or no time at all."""
    root = firm.administrator()
    for at in ("2026-01-01T12:00", "yesterday"):
        assert problem(firm.get("/reports/access", root, at=at)) == (400, "bad-parameter")
    to_come = firm.get("/reports/access", root, at="2999-01-01T00:00:00Z")
    assert problem(to_come) == (422, "refused")
    assert "is to come" in to_come.text
    assert firm.get("/reports/access", root, at="2001-01-01T00:00:00Z").json()["items"] == []


@pytest.mark.req("G2", "D8", "I4")
def test_who_administers_a_branch_is_told_of_it_alone(firm: Company, people: list[Account]) -> None:
    """Neither list names anybody of another branch, by no filter."""
    local = firm.branch_administrator("local", "hamburg")
    assert names(firm.get("/reports/access", local).json()["items"]) == ["ada", "cem", "local"]
    for filters in (
        {"branch": "berlin"},
        {"account_id": people[1].id},
        {"account_id": people[1].id, "everybody": "true"},
    ):
        assert firm.get("/reports/access", local, **filters).json()["items"] == []
    made_long_ago(firm, *people)
    assert names(firm.get("/reports/unused", local).json()["items"]) == ["ada", "cem"]
    for path in ("/reports/access", "/reports/unused"):
        assert problem(firm.get(path, people[0])) == (403, "not-allowed")


@pytest.mark.req("D8", "I2")
def test_accounts_that_nobody_uses_page_by_page(firm: Company, people: list[Account]) -> None:
    """Never used, and not made lately; nothing is done about them."""
    root = firm.administrator()
    assert firm.get("/reports/unused", root).json() == {"items": [], "next": None}
    made_long_ago(firm, *people)
    first = firm.get("/reports/unused", root, limit=2).json()
    assert [(each["username"], each["use"], each["last_used_at"]) for each in first["items"]] == [
        ("ada@example.com", "never", None),
        ("bea@example.com", "never", None),
    ]
    rest = firm.get("/reports/unused", root, limit=2, cursor=first["next"]).json()
    assert (names(rest["items"]), rest["next"]) == (["cem"], None)
    assert firm.get("/reports/unused", root, never=365).json()["items"] == []
    assert problem(firm.get("/reports/unused", root, nevr=365)) == (400, "bad-parameter")


def made_long_ago(firm: Company, *people: Account) -> None:
    for each in people:
        firm.change(each, created_at=datetime.now(UTC) - timedelta(days=100))
