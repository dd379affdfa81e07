"""What an account can be given, and which of it the caller may give."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.loading import read_texts
from sync.commands.mappings.in_force import put_in_force
from sync.store import mappings
from tests.callers import NOW, wanted_by
from tests.entrypoints.web.rest.conftest import Company, problem


def given(choices: Any) -> set[str]:
    return {each["key"] for each in choices if each["may_give"]}


@pytest.mark.req("I4")
def test_choices_say_what_the_caller_may_give(firm: Company) -> None:
    """Who administers one branch gives that branch, and no wider data access than the own; a dispatcher gets
    none."""
    everything = firm.get("/catalog", firm.administrator()).json()
    assert given(everything["profiles"]) == {each["key"] for each in everything["profiles"]}
    assert {"hamburg", "berlin"} <= given(everything["branches"])
    assert everything["no_branch_may_give"]

    local = firm.get("/catalog", firm.branch_administrator("local", "hamburg")).json()
    assert given(local["branches"]) == {"hamburg"}
    assert "global" not in given(local["data_access"])
    assert {"branch"} <= given(local["data_access"])
    assert not local["no_branch_may_give"]
    assert [each["key"] for each in local["branches"]] == [each["key"] for each in everything["branches"]]

    assert problem(firm.get("/catalog", firm.join("dora"))) == (403, "not-allowed")


def test_the_catalog_is_fetched_again_only_when_the_mapping_files_changed(firm: Company) -> None:
    """304 while nothing has changed; somebody adopts other files, and the next answer is whole."""
    root = firm.administrator()
    first = firm.get("/catalog", root)
    headers = {
        "Authorization": f"Bearer {firm.token(root)}",
        "If-None-Match": f'"other", W/{first.headers["ETag"]}',
    }
    same = firm.api.get("/api/v1/catalog", headers=headers)
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", first.headers["ETag"])

    files = dict(read_texts())
    files["branches.toml"] = files["branches.toml"].replace('title = "Hamburg"', 'title = "Hamburg Nord"', 1)
    with firm.db.write() as tx:
        mappings.adopt_one_at_a_time(tx)
        put_in_force(tx, None, files, "other", wanted_by("lee", "renamed"), NOW)
    after = firm.api.get("/api/v1/catalog", headers=headers)
    assert after.status_code == 200
    assert after.json()["policy"] == first.json()["policy"] + 1
    assert "Hamburg Nord" in {each["title"] for each in after.json()["branches"]}
