"""What holds of authority whatever the profiles, levels and accounts: nobody gains more than the caller has."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import load
from mappings.policy import Policy
from sync.domain.access.callers import Person
from sync.domain.access.may import may, reach_of
from sync.domain.access.permissions import ON_ACCOUNT, Permission
from sync.domain.accounts.account import Account, Life
from tests.people import an_account

pytestmark = pytest.mark.supports("I4")

POLICY = load()
KEEPING = replace(
    POLICY,
    profiles={
        key: replace(each, features=each.features | {"user-management"}) for key, each in POLICY.profiles.items()
    },
)
"""Every profile keeps accounts: rank, data access and scope alone stand in the way."""

accounts = st.builds(
    lambda profile, branch, level, life: an_account(
        "kim@example.com", profile=profile, branch=branch, data_access=level, life=life
    ),
    st.sampled_from(sorted(POLICY.profiles)),
    st.sampled_from([None, *sorted(POLICY.branches)[:3]]),
    st.sampled_from([None, *sorted(POLICY.data_access)]),
    st.sampled_from(Life),
)
policies = st.sampled_from([POLICY, KEEPING])


def allowed(own: Account, before: Account | None, after: Account, policy: Policy = POLICY) -> bool:
    caller = Person(own.id, own.username)
    permission = Permission.CREATE if before is None else Permission.CHANGE
    return may(caller, permission, before, after, own=own, policy=policy, today=date(2026, 3, 1)) is None


def level(account: Account) -> int:
    profile = POLICY.profiles[account.profile]
    return POLICY.data_access[account.data_access or profile.default_data_access].width


@given(accounts, st.none() | accounts, accounts, policies)
def test_nobody_ever_gains_more_than_the_caller_has(
    own: Account, before: Account | None, after: Account, policy: Policy
) -> None:
    """Neither rank nor data access."""
    if allowed(own, before, after, policy):
        assert POLICY.profiles[after.profile].rank <= POLICY.profiles[own.profile].rank
        assert level(after) <= level(own)


@given(accounts, accounts, accounts, policies)
def test_a_scope_is_closed_under_moves(own: Account, before: Account, after: Account, policy: Policy) -> None:
    """Who administers one branch reaches no account of another one, whatever was done in between."""
    if allowed(own, before, after, policy):
        reach = reach_of(own, policy)
        assert reach is not None
        assert reach.holds(before) == reach.holds(after) is True


@given(accounts, accounts, accounts, accounts, policies)
def test_two_steps_reach_no_further_than_one(
    own: Account, first: Account, second: Account, third: Account, policy: Policy
) -> None:
    """There is no way around by a step between."""
    if allowed(own, first, second, policy) and allowed(own, second, third, policy):
        assert allowed(own, first, third, policy)


@given(accounts, accounts, st.sampled_from(sorted(ON_ACCOUNT)), policies)
def test_the_way_back_is_as_open_as_the_way_there(
    own: Account, one: Account, permission: Permission, policy: Policy
) -> None:
    """What somebody may do to an account they may undo, for both ends are judged alike."""
    caller = Person(own.id, own.username)
    other = replace(one, given_name="Other")
    there = may(caller, permission, one, other, own=own, policy=policy, today=date(2026, 3, 1))
    back = may(caller, permission, other, one, own=own, policy=policy, today=date(2026, 3, 1))
    assert (there is None) == (back is None)


@given(accounts, accounts, accounts)
def test_who_is_inactive_may_nothing(own: Account, before: Account, after: Account) -> None:
    """Not for the life of a token either: the row is read."""
    assert not allowed(replace(own, life=Life.INACTIVE), before, after, KEEPING)
