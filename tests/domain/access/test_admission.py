"""Who asks over HTTP, decided from token, account and policy alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mappings import load
from sync.domain.access.admission import Admitted, Denied, Said, admit
from sync.domain.access.callers import Person
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Life
from sync.domain.accounts.change import NewAccount

pytestmark = pytest.mark.supports("I4")

POLICY = load()
GLASS = replace(POLICY, realm=replace(POLICY.realm, break_glass=frozenset({"glass"})))
ROOT = replace(
    NewAccount("root@example.com", "Ro", "Ot", "administrator").account("a-1", datetime(2026, 1, 1, tzinfo=UTC)),
    idp_user_id="kc-1",
)
SAYS = Said("root@example.com", "administrator", "global", None, None)


def test_a_break_glass_name_needs_no_account_and_may_everything() -> None:
    """Only while the file names it; somebody else without an account is nobody."""
    said = Said("glass", None, None, None, None)
    assert admit(said, None, GLASS) == Admitted(Person(None, "glass"), Scope.all(), None, operates=True)
    assert isinstance(admit(said, None, POLICY), Denied)
    assert isinstance(admit(replace(said, username="other"), None, GLASS), Denied)


def test_an_account_with_a_break_glass_name_is_judged_as_an_account() -> None:
    """An inactive one does not come in by its name."""
    said = Said("glass", "administrator", "global", None, None)
    assert isinstance(admit(said, replace(ROOT, username="glass", life=Life.INACTIVE), GLASS), Denied)


def test_what_the_caller_sees_is_computed_from_the_account() -> None:
    """Everything, one branch, or nobody but themselves."""
    assert admit(SAYS, ROOT, POLICY) == Admitted(
        Person("a-1", "root@example.com"), Scope.all(), ROOT, operates=True
    )
    local = replace(ROOT, branch="hamburg", data_access="branch")
    found = admit(replace(SAYS, branch="hamburg", data_access="branch"), local, POLICY)
    assert isinstance(found, Admitted)
    assert found.administers == Scope.of_branch("hamburg")
    dispatcher = replace(ROOT, profile="dispatcher", branch="hamburg")
    found = admit(Said("x", "dispatcher", "branch", "hamburg", None), dispatcher, POLICY)
    assert isinstance(found, Admitted)
    assert found.administers is None


def test_a_lowered_ceiling_is_what_counts() -> None:
    """The token bears the effective level, and so does the account."""
    asks_more = replace(ROOT, profile="dispatcher", branch="hamburg", data_access="global")
    said = Said("x", "dispatcher", "branch", "hamburg", None)
    assert isinstance(admit(said, asks_more, POLICY), Admitted)
    refused = admit(replace(said, data_access="global"), asks_more, POLICY)
    assert isinstance(refused, Denied)
    assert refused.renew


@pytest.mark.parametrize("field", ["profile", "data_access", "branch", "team"])
def test_a_token_that_says_anything_else_is_too_old(field: str) -> None:
    """More or less, it makes no difference."""
    found = admit(replace(SAYS, **{field: "other"}), ROOT, POLICY)
    assert isinstance(found, Denied)
    assert found.renew
