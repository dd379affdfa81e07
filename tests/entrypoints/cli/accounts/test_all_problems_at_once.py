"""Whoever mends a request mends all of it: everything that is wrong is said in one answer (A2, I3)."""

from __future__ import annotations

import pytest

from sync.domain.accounts.account import Account
from tests.entrypoints.cli.conftest import Run, told
from tests.world import World

pytestmark = pytest.mark.req("A2", "I3")


def fields(output: str) -> list[str]:
    return [line.removeprefix("✗ ").partition(":")[0] for line in output.splitlines() if line.startswith("✗")]


def test_a_new_account_is_refused_with_everything_that_is_wrong(
    at_work: World, people: list[Account], run: Run
) -> None:
    """What its own rules say, what the FSM system does not know, what other accounts have already, and the
    attributes of the company: each once, with its real cause."""
    said = run(
        "create",
        *("--email", people[0].email, "--username", "\u0430nn", "--given-name", "x" * 300, "--family-name", "A;B"),
        *("--profile", "dispacher", "--branch", "berlin", "--technician", "T-99"),
        *("--attribute", "vehicle=bus", "--attribute", "shoe_size=44", "--reason", "joins", "--no-wait"),
    )
    assert said.exit_code == 1
    assert sorted(fields(said.output)) == [
        *("email", "family_name", "given_name", "profile", "shoe_size", "technician", "username", "vehicle")
    ]
    assert "given_name: is longer than 255 characters: it has 300" in said.output
    assert "family_name: has what Keycloak refuses in names: ;" in said.output
    assert f"belongs to the account of {people[0].full_name}" in said.output
    assert len(told(run, "list")) == len(people)


def test_a_change_is_refused_with_everything_that_is_wrong(
    at_work: World, people: list[Account], run: Run
) -> None:
    """Also where the e-mail address is another one's and the attribute no value."""
    said = run(
        "change",
        people[0].username,
        *("--email", people[1].email, "--given-name", "A;B", "--branch", "berln"),
        *("--attribute", "vehicle=bus", "--reason", "moves", "--no-wait"),
    )
    assert said.exit_code == 1
    assert sorted(fields(said.output)) == ["branch", "email", "given_name", "vehicle"]
