"""What a run does to how many accounts, and when a person has to approve it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import Policy, load
from mappings.guard import KINDS, ChangeKind, GuardRules, Limit, Window
from sync.domain.accounts.account import Account, Life
from sync.domain.runs.effects import access_of, effects
from sync.domain.runs.guard import Hold, Impact, Pass, judge

POLICY = load()
RULES = POLICY.guard
ACCOUNT = Account(
    id="0192f0c1-0000-7000-8000-000000000001",
    username="tess.tal",
    email="tess.tal@example.com",
    given_name="Tess",
    family_name="Tal",
    profile="technician",
    branch="hamburg",
    team="hamburg-heizung",
    data_access=None,
    technician_id="T-1",
    employee_number="00017",
    life=Life.ACTIVE,
    created_at=datetime(2026, 3, 2, tzinfo=UTC),
)


def with_profile(policy: Policy, key: str, **changed: object) -> Policy:
    """The policy with one profile changed."""
    profile = replace(policy.profiles[key], **changed)  # type: ignore[arg-type]
    return replace(policy, profiles={**policy.profiles, key: profile})


@pytest.mark.supports("E7")
@pytest.mark.parametrize(
    ("changed", "kinds"),
    [
        ({"given_name": "Theresa"}, set()),
        ({"life": Life.INACTIVE}, {"disabled"}),
        ({"branch": "berlin", "team": None}, {"moved"}),
        ({"team": "hamburg-kaelte"}, {"moved"}),
        ({"profile": "read-only"}, {"demoted", "promoted"}),
        ({"profile": "administrator", "data_access": "global"}, {"demoted", "promoted", "privileged"}),
        ({"data_access": "team"}, {"promoted"}),
        ({"data_access": "global"}, {"promoted"}),
        ({"profile": "manager", "data_access": "global"}, {"demoted", "promoted", "privileged"}),
        ({"technician_id": None}, {"demoted", "unlinked"}),
        ({"technician_id": "T-2"}, {"unlinked"}),
    ],
)
def test_what_happens_to_an_account(changed: dict[str, object], kinds: set[ChangeKind]) -> None:
    """A technician: a name is nothing, another profile takes the mobile app and gives reports, more data is
    given, though never more than the profile may have."""
    after = replace(ACCOUNT, **changed)  # type: ignore[arg-type]
    assert effects(access_of(ACCOUNT, POLICY), access_of(after, POLICY)) == {"changed", *kinds}


@pytest.mark.supports("E7")
@pytest.mark.parametrize(
    ("was", "becomes", "kinds"),
    [
        (
            {"profile": "read-only", "data_access": "global"},
            {"profile": "administrator"},
            {"promoted", "privileged"},
        ),
        ({"profile": "administrator"}, {"profile": "manager", "data_access": "global"}, {"demoted"}),
        ({"profile": "manager", "data_access": "global"}, {"branch": "berlin"}, {"moved"}),
        ({"profile": "accountant"}, {"data_access": "global"}, set()),
        ({"profile": "read-only"}, {"profile": "accountant"}, {"demoted", "promoted"}),
    ],
)
def test_each_privilege_counts_anew(
    was: dict[str, object], becomes: dict[str, object], kinds: set[ChangeKind]
) -> None:
    """Who sees everything and shall keep accounts as well gains once more; who has a privilege already does not;
    the accountant's global access is the default."""
    plain = replace(ACCOUNT, technician_id=None, team=None)
    before = replace(plain, **was)  # type: ignore[arg-type]
    after = replace(before, **becomes)  # type: ignore[arg-type]
    assert effects(access_of(before, POLICY), access_of(after, POLICY)) == {"changed", *kinds}


@pytest.mark.supports("E7")
def test_a_joiner_is_created_and_somebody_inactive_loses_nothing() -> None:
    """Nobody is held for what takes no access. What is given to somebody inactive counts at once: who switches
    it on later looks at one account."""
    assert effects(None, access_of(ACCOUNT, POLICY)) == {"created"}
    away = replace(ACCOUNT, life=Life.INACTIVE)
    moved = replace(away, branch="berlin", team=None, profile="read-only")
    assert effects(access_of(away, POLICY), access_of(moved, POLICY)) == {"changed", "promoted"}
    assert effects(access_of(away, POLICY), access_of(ACCOUNT, POLICY)) == {"changed"}


@pytest.mark.supports("E7")
@pytest.mark.parametrize(
    ("changed", "demoted"),
    [
        ({"rank": 41}, False),
        ({"rank": 5}, True),
        ({"features": frozenset({"mobile-app"})}, True),
        ({"features": frozenset({"mobile-app", "assigned-work", "reports"})}, False),
        ({"default_data_access": "team"}, False),
        ({"field_work": False}, True),
        ({"title": "Field technician"}, False),
    ],
)
def test_a_changed_profile_demotes_who_has_it(changed: dict[str, object], *, demoted: bool) -> None:
    """The same account under the files of before and after: numbers that only move apart mean nothing."""
    policy = with_profile(POLICY, "technician", **changed)
    found = effects(access_of(ACCOUNT, POLICY), access_of(ACCOUNT, policy))
    assert ("demoted" in found) is demoted


@pytest.mark.supports("E7")
def test_a_narrower_default_demotes() -> None:
    """A dispatcher who saw the branch sees the team only."""
    dispatcher = replace(ACCOUNT, profile="dispatcher", technician_id=None)
    policy = with_profile(POLICY, "dispatcher", default_data_access="team")
    assert "demoted" in effects(access_of(dispatcher, POLICY), access_of(dispatcher, policy))


@pytest.mark.supports("E7")
@pytest.mark.parametrize(
    ("kind", "number", "population", "reason"),
    [
        ("created", 100_000, 100_000, None),
        ("changed", 5_000, 5_000, None),
        ("disabled", 50, 1_000, None),
        ("disabled", 51, 1_000, "51 accounts would be disabled: more than 50"),
        ("disabled", 2, 4, None),
        ("disabled", 9, 10, None),
        ("moved", 10, 100, None),
        ("moved", 11, 100, "11 accounts would be moved to another branch or team: 11 % of 100 active ones"),
        ("demoted", 12, 0, None),
        ("unlinked", 51, 0, "51 accounts would be without their technician record"),
    ],
)
def test_limits(kind: ChangeKind, number: int, population: int, reason: str | None) -> None:
    """Joiners pass whatever their number; so many, or so large a part of all, is held; 2 of 4 is not a mass."""
    verdict = judge(Impact({kind: number}), population, RULES, "import")
    if reason is None:
        assert verdict == Pass()
    else:
        assert isinstance(verdict, Hold)
        assert reason in verdict.reasons[0]


@pytest.mark.supports("E7")
def test_a_door_may_have_limits_of_its_own() -> None:
    """Only for the kinds it names."""
    rules = GuardRules(RULES.limits, {"hr": {"moved": Limit(200, None, 10)}})
    many = Impact({"moved": 150, "disabled": 60})
    assert judge(many, 10_000, rules, "hr") == Hold(("60 accounts would be disabled: more than 50",))
    held = judge(many, 10_000, rules, "import")
    assert isinstance(held, Hold)
    assert len(held.reasons) == 2


@pytest.mark.supports("E7")
def test_pushes_are_counted_together() -> None:
    """The fifty-first leaver of the hour is held; a joiner is not held for the leavers."""
    leaver = Impact({"disabled": 1})
    assert judge(leaver, 9_000, RULES, "hr", {"hour": Impact({"disabled": 49})}) == Pass()
    held = judge(leaver, 9_000, RULES, "hr", {"hour": Impact({"disabled": 50}), "day": Impact({"disabled": 500})})
    assert held == Hold(("51 accounts within an hour would be disabled: more than 50",))
    assert judge(Impact({"created": 1}), 9_000, RULES, "hr", {"hour": Impact({"disabled": 90})}) == Pass()


@pytest.mark.supports("E7")
@pytest.mark.parametrize(
    ("limit", "passed", "reason"),
    [
        (Limit(50, None, 10), {"hour": 10, "day": 99}, None),
        (Limit(50, None, 10), {"day": 100}, "101 accounts within a day would be disabled: more than 100"),
        (
            Limit(50, None, 10),
            {"day": 80, "week": 200},
            "201 accounts within a week would be disabled: more than 200",
        ),
        (
            Limit(None, 10, 10),
            {"day": 200},
            "within a day would be disabled: 20 % of 1000 active ones, more than 20 %",
        ),
        (Limit(50, None, 10, day=Limit(60, None, 10)), {"day": 60}, "61 accounts within a day"),
        (Limit(50, None, 10, week=Limit(None, None, 10)), {"week": 900}, None),
        (Limit(None, None, 10), {"hour": 900, "day": 900, "week": 900}, None),
    ],
)
def test_a_day_and_a_week_have_limits_of_their_own(
    limit: Limit, passed: dict[Window, int], reason: str | None
) -> None:
    """Twice and four times what an hour has, where guard.toml names none."""
    rules = GuardRules({**RULES.limits, "disabled": limit}, {})
    earlier = {window: Impact({"disabled": number}) for window, number in passed.items()}
    verdict = judge(Impact({"disabled": 1}), 1_000, rules, "hr", earlier)
    if reason is None:
        assert verdict == Pass()
    else:
        assert isinstance(verdict, Hold)
        assert reason in verdict.reasons[0]


kinds_of_accounts = st.lists(st.frozensets(st.sampled_from(KINDS)), max_size=120)


@given(kinds_of_accounts, st.integers(0, 500), st.randoms(use_true_random=False))
def test_the_order_of_a_run_means_nothing(
    accounts: list[frozenset[ChangeKind]], population: int, random: object
) -> None:
    """The verdict is about the whole run, in whatever order it came."""
    shuffled = list(accounts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judge(Impact.of(accounts), population, RULES, "hr") == judge(
        Impact.of(shuffled), population, RULES, "hr"
    )


@given(kinds_of_accounts, st.frozensets(st.sampled_from(KINDS)), st.integers(0, 500))
def test_more_changes_are_never_held_less(
    accounts: list[frozenset[ChangeKind]], one_more: frozenset[ChangeKind], population: int
) -> None:
    """Nobody gets a run through by adding to it."""
    before = judge(Impact.of(accounts), population, RULES, "import")
    after = judge(Impact.of([*accounts, one_more]), population, RULES, "import")
    assert isinstance(before, Pass) or isinstance(after, Hold)


@given(st.lists(st.sampled_from(sorted(POLICY.profiles)), min_size=1, max_size=6))
def test_ranks_numbered_anew_demote_nobody(profiles: list[str]) -> None:
    """The same order of profiles with other numbers is the same."""
    renumbered = replace(
        POLICY,
        profiles={key: replace(each, rank=each.rank * 7 + 3) for key, each in POLICY.profiles.items()},
        data_access={key: replace(each, width=each.width + 11) for key, each in POLICY.data_access.items()},
    )
    for profile in profiles:
        account = replace(ACCOUNT, profile=profile)
        assert effects(access_of(account, POLICY), access_of(account, renumbered)) == {"changed"}
