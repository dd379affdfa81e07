"""/audit over the API: what the caller administers, the file, and whether somebody touched the trail (G1)."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

import pytest

from sync.domain.audit.export import verify_lines
from sync.store.audit import chain
from tests.claiming import JOB
from tests.entrypoints.web.rest.conftest import Company, problem

pytestmark = pytest.mark.req("G1", "I2")


@pytest.fixture
def chained(firm: Company) -> Company:
    """Mapping files came into force, Ada joined in Hamburg, Bea in Berlin; workers chained that."""
    firm.join("ada")
    firm.join("bea", branch="berlin")
    with firm.db.write() as tx:
        assert chain.chain_some(tx, JOB, datetime.now(UTC)) == 3
    return firm


def root(firm: Company) -> Any:
    return firm.join("root2", profile="administrator", branch=None)


def test_the_trail_is_read_page_by_page(chained: Company) -> None:
    """The newest first; a cursor is good for its own question alone."""
    by = root(chained)
    first = chained.get("/audit", by, limit=2).json()
    assert [each["number"] for each in first["items"]] == [None, 3]
    rest = chained.get("/audit", by, limit=2, cursor=first["next"]).json()
    assert [(each["number"], each["username"]) for each in rest["items"]] == [(2, "ada@example.com"), (1, None)]
    assert rest["next"] is None
    assert (rest["items"][0]["actor"], rest["items"][0]["reason"]) == ("dana", "because the test says so")
    assert problem(chained.get("/audit", by, action="create", cursor=first["next"])) == (400, "bad-cursor")
    assert problem(chained.get("/audit", by, acount_id="x")) == (400, "bad-parameter")
    assert chained.get("/audit", by, since="2100-01-01T00:00:00Z").json()["items"] == []


@pytest.mark.req("G1", "I4")
def test_who_administers_a_branch_reads_what_was_done_there(chained: Company) -> None:
    """Nothing of another branch, and neither the file nor its verification; others read nothing."""
    local = chained.branch_administrator("local", "hamburg")
    told = chained.get("/audit", local).json()["items"]
    assert [each["username"] for each in told] == ["local@example.com", "ada@example.com"]
    dora = chained.join("dora")
    for path in ("/audit", "/audit/export", "/audit/verify"):
        assert problem(chained.get(path, dora)) == (403, "not-allowed")
    for path in ("/audit/export", "/audit/verify"):
        assert chained.get(path, local).status_code == 403


def test_the_file_is_what_is_verified_anywhere(chained: Company) -> None:
    """Its lines alone say that it is whole."""
    answer = chained.get("/audit/export", root(chained))
    assert answer.headers["Content-Type"].startswith("application/jsonl")
    found = verify_lines(answer.text.splitlines(), {})
    assert (found.whole, found.head.number) == (True, 3)


def test_what_somebody_changed_is_told(chained: Company) -> None:
    """Before it is consistent; an entry that waits for its number is counted."""
    by = root(chained)
    before = chained.get("/audit/verify", by).json()
    assert (before["consistent"], before["number"], before["waiting"]) == (True, 3, 1)
    path = chained.settings.database_url.get_secret_value().removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER audit_refuses_update")
        connection.execute("UPDATE audit SET actor = 'somebody else' WHERE account_id IS NOT NULL")
    after = chained.get("/audit/verify", by).json()
    assert (after["consistent"], after["found"]) == (False, 2)
    assert after["findings"][0]["flaw"] == "changed"
