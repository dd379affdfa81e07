"""The data access somebody has is the lower of what the account asks for and what the profile may have (A5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from mappings import Policy, load
from sync.domain.access.callers import Person
from sync.domain.access.data_access import data_access_of
from sync.domain.access.may import may
from sync.domain.access.permissions import Permission
from tests.people import an_account

pytestmark = pytest.mark.supports("A5")

POLICY = load()
LEVELS = sorted(POLICY.data_access, key=lambda key: POLICY.data_access[key].width)


def may_have(profile: str, level: str) -> Policy:
    lowered = replace(POLICY.profiles[profile], highest_data_access=level)
    return replace(POLICY, profiles={**POLICY.profiles, profile: lowered})


@pytest.mark.parametrize(("asked", "ceiling"), product(LEVELS, repeat=2))
def test_the_lower_of_the_two(asked: str, ceiling: str) -> None:
    found = data_access_of(
        an_account("mia@example.com", profile="manager", data_access=asked), may_have("manager", ceiling)
    )
    assert found is not None
    assert found.asked.key == asked
    assert found.effective.key == LEVELS[min(LEVELS.index(asked), LEVELS.index(ceiling))]
    assert found.is_lowered is (LEVELS.index(asked) > LEVELS.index(ceiling))


def test_without_a_level_of_its_own_it_is_the_usual_one_of_the_profile() -> None:
    found = data_access_of(an_account("mia@example.com", profile="manager", data_access=None), POLICY)
    assert str(found) == POLICY.data_access[POLICY.profiles["manager"].default_data_access].title


@pytest.mark.parametrize(("profile", "level"), [("gone", None), ("manager", "gone")])
def test_what_the_files_do_not_know_is_no_access(profile: str, level: str | None) -> None:
    assert data_access_of(an_account("mia@example.com", profile=profile, data_access=level), POLICY) is None


@pytest.mark.supports("I4")
def test_a_lowered_administrator_administers_the_own_branch_alone() -> None:
    """And whoever asks for more than that stays out of reach: it would come back with the ceiling."""
    policy = may_have("administrator", "branch")
    ada = an_account("ada@example.com", profile="administrator", branch="hamburg", data_access="global")
    here = an_account("bo@example.com", branch="hamburg")

    def refused(account: object) -> str | None:
        problem = may(
            Person(ada.id, ada.username),
            Permission.CHANGE,
            account,  # type: ignore[arg-type]
            account,  # type: ignore[arg-type]
            own=ada,
            policy=policy,
            today=date(2026, 3, 1),
        )
        return None if problem is None else problem.field

    assert refused(here) is None
    assert refused(replace(here, branch="koeln")) == "branch"
    assert refused(replace(here, profile="manager", data_access="global")) == "data_access"
