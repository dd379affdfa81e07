"""What other mapping files mean for one account, and what else is different in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import Policy, load
from sync.domain.accounts.account import Account, Life
from sync.domain.mappings import PolicyComparison, needs_realm_apply, other_changes

POLICY = load()
ACCOUNT = Account(
    id="0192f0c1-0000-7000-8000-000000000001",
    username="dana.dal",
    email="dana.dal@example.com",
    given_name="Dana",
    family_name="Dal",
    profile="dispatcher",
    branch="hamburg",
    team=None,
    data_access=None,
    technician_id=None,
    employee_number="00017",
    life=Life.ACTIVE,
    created_at=datetime(2026, 3, 2, tzinfo=UTC),
)


def with_profile(**changed: Any) -> Policy:
    """The shipped policy, but for what is changed of dispatchers."""
    profile = replace(POLICY.profiles["dispatcher"], **changed)
    return replace(POLICY, profiles={**POLICY.profiles, "dispatcher": profile})


@pytest.mark.supports("E7")
@pytest.mark.parametrize(
    ("changed", "changes", "kinds"),
    [
        (
            {"default_data_access": "global", "highest_data_access": "global"},
            {"groups": (("/fsm/data-access/branch",), ("/fsm/data-access/global",))},
            {"changed", "promoted"},
        ),
        ({"second_factor": True}, {"groups": ((), ("/fsm/second-factor",))}, {"changed"}),
        (
            {"features": POLICY.profiles["dispatcher"].features | {"dashboards"}},
            {"features": ((), ("dashboards",))},
            {"changed", "promoted"},
        ),
        (
            {"features": POLICY.profiles["dispatcher"].features | {"user-management"}},
            {"features": ((), ("user-management",))},
            {"changed", "promoted", "privileged"},
        ),
        ({"rank": 5}, {}, {"changed", "demoted"}),
    ],
)
def test_what_follows_for_an_account(changed: dict[str, Any], changes: object, kinds: set[str]) -> None:
    """Groups are for workers; features and rank are not, and count all the same."""
    found = PolicyComparison(POLICY, with_profile(**changed)).of(ACCOUNT)
    assert found is not None
    assert (found.changes, found.kinds) == (changes, kinds)
    assert found.for_workers is ("groups" in found.changes)


@pytest.mark.supports("E7")
@pytest.mark.parametrize("changed", [{"title": "Dispatch"}, {"session_cap": 9}, {"rank": 51}, {"aliases": ("D",)}])
def test_what_reaches_no_account(changed: dict[str, Any]) -> None:
    """It is told as another change of the files; an own level or another profile is not touched either."""
    after = with_profile(**changed)
    assert PolicyComparison(POLICY, after).of(ACCOUNT) is None
    [line] = other_changes(POLICY, after)
    assert line.startswith("changed: profile dispatcher (")
    wider = PolicyComparison(POLICY, with_profile(default_data_access="global", highest_data_access="global"))
    assert wider.of(replace(ACCOUNT, data_access="personal")) is None
    assert wider.of(replace(ACCOUNT, profile="accountant")) is None


@pytest.mark.supports("E7")
def test_other_files_are_named_with_what_to_look_at() -> None:
    """A line a file; new and gone entries by key."""
    after = replace(
        POLICY,
        realm=replace(POLICY.realm, event_expiry_days=POLICY.realm.event_expiry_days + 1),
        guard=replace(POLICY.guard, doors={"hr": {}}),
        branches={key: each for key, each in POLICY.branches.items() if key != "berlin"},
    )
    lines = other_changes(POLICY, after)
    assert "gone: branch berlin" in lines
    assert any("realm.toml" in line for line in lines)
    assert any("judged by the limits in force" in line for line in lines)
    assert needs_realm_apply(POLICY, after)
    assert not needs_realm_apply(POLICY, replace(POLICY, guard=after.guard))
    assert other_changes(POLICY, POLICY) == ()


accounts = st.builds(
    lambda profile, branch, level, life, technician: replace(
        ACCOUNT, profile=profile, branch=branch, data_access=level, life=life, technician_id=technician
    ),
    st.sampled_from(sorted(POLICY.profiles)),
    st.sampled_from(sorted(POLICY.branches)),
    st.sampled_from([None, *sorted(POLICY.data_access)]),
    st.sampled_from(list(Life)),
    st.sampled_from([None, "T-1", "T-2"]),
)


@given(st.lists(accounts, max_size=20))
def test_deciding_each_combination_once_is_the_same(people: list[Account]) -> None:
    """Whatever the order: one comparison for all answers as a fresh one for each."""
    after = with_profile(default_data_access="personal", second_factor=True, features=frozenset({"reports"}))
    together = PolicyComparison(POLICY, after)
    assert [together.of(each) for each in people] == [PolicyComparison(POLICY, after).of(each) for each in people]
    assert all(PolicyComparison(POLICY, POLICY).of(each) is None for each in people)
