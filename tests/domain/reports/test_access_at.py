"""Access at a moment, from what is kept of an account (G2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mappings.loading import AccessFiles, read_access, read_texts
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Life
from sync.domain.provisioning.aspect import Aspect
from sync.domain.provisioning.change import (
    AnyChange,
    Create,
    Disable,
    Enable,
    EndSessions,
    JoinGroup,
    LeaveGroup,
    UpdateDetails,
)
from sync.domain.reports.access import Access, AccessRow, access_at
from sync.domain.reports.past import Found, Given, Past, Tried, Wanted, Word

pytestmark = pytest.mark.supports("G2")

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FILES = read_access(read_texts())
DISPATCHER, MANAGER = map(vocabulary.profile_group, ("dispatcher", "manager"))
CREATED = Create("ann", "ann@example.com", (DISPATCHER, vocabulary.data_access_group("branch")))


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def word(at: datetime) -> Word:
    return Word(at, "dana", "command line", "why")


def given(at: float, **changes: Any) -> Given:
    values = {"profile": "dispatcher", "branch": None, "team": None, "data_access": None, "technician_id": None}
    return Given(hour(at), word(hour(at)), **(values | changes))


def wanted(at: float, life: Life = Life.ACTIVE) -> Wanted:
    return Wanted(hour(at), word(hour(at)), life)


def tried(at: float, *changes: AnyChange, applied: bool = True) -> Tried:
    return Tried(hour(at), applied, changes)


def past(*told: Given | Wanted | Tried | Found, has_user: bool = True) -> Past:
    def of(kind: type) -> Any:
        return tuple(each for each in told if isinstance(each, kind))

    return Past("id", "ann", "Ann", has_user, of(Given), of(Wanted), of(Tried), of(Found))


def at(number: float, told: Past, files: AccessFiles | None = FILES) -> AccessRow:
    return access_at(told, hour(number), lambda _: files)


JOINED = (given(0), wanted(0))
LEAVER = past(*JOINED, tried(1, CREATED), wanted(5, Life.INACTIVE), tried(6, Disable(), EndSessions("gone")))
HALF_DONE = past(*JOINED, tried(1, CREATED), tried(6, Disable(), applied=False), tried(7, EndSessions("gone")))
ADOPTED = past(*JOINED, tried(2, JoinGroup(DISPATCHER), applied=False), tried(3))
BEFORE_FIRST_DAY = past(given(0), wanted(0, Life.EXPECTED), tried(1, CREATED), wanted(5), tried(6, Enable()))
NEVER_CARRIED = past(*JOINED, has_user=False)
SWITCHED_ON = past(
    *JOINED,
    tried(1, CREATED),
    wanted(2, Life.INACTIVE),
    tried(3, Disable(), EndSessions("gone")),
    Found(Aspect.SWITCHED_ON, "enabled", hour(5), hour(5), None),
    tried(7, Disable()),
)
CHANGED_ON_ITS_WAY = past(*JOINED, wanted(0.99, Life.INACTIVE), tried(1, CREATED), tried(2, Disable()))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (LEAVER, {0.5: "no", 1: "yes", 5.5: "yes", 6: "no"}),
        (HALF_DONE, {5: "yes", 6.5: "yes", 7: "no"}),
        (ADOPTED, {1: "not known", 2.5: "not known", 3: "yes"}),
        (BEFORE_FIRST_DAY, {0.5: "no", 1.5: "no", 5.5: "no", 6.5: "yes"}),
        (NEVER_CARRIED, {1: "no"}),
        (SWITCHED_ON, {4: "no", 5: "yes", 6.9: "yes", 7: "no"}),
        (CHANGED_ON_ITS_WAY, {0.995: "no", 1: "yes", 2: "no"}),
    ],
)
def test_access_is_what_keycloak_lets_in(told: Past, expected: dict[float, str]) -> None:
    """A wish that is not carried there changes nothing yet; what nobody saw is not known."""
    assert {moment: at(moment, told).access for moment in expected} == expected


def test_the_user_is_followed_change_by_change() -> None:
    """Groups, technician, and since when it is as it is; of two profiles neither gives a feature."""
    told = past(
        *JOINED,
        tried(1, CREATED),
        given(2, profile="manager", technician_id="T-1"),
        tried(3, LeaveGroup(DISPATCHER), applied=False),
        tried(4, JoinGroup(MANAGER), UpdateDetails({"technician_id": None}, {"technician_id": "T-1"})),
        tried(5),
        Found(Aspect.PROFILE, "dispatcher, manager", hour(6), hour(8), hour(8)),
    )
    seen = {number: at(number, told).keycloak for number in (1, 3, 4, 5, 6, 8)}
    assert all(seen.values())
    assert {number: each and each.profiles for number, each in seen.items()} == {
        1: ("dispatcher",),
        3: (),
        4: ("manager",),
        5: ("manager",),
        6: ("dispatcher", "manager"),
        8: ("manager",),
    }
    assert seen[5] is not None
    assert seen[6] is not None
    assert (seen[5].since, seen[5].technician_id) == (hour(4), "T-1")
    assert (seen[6].since, seen[6].features, seen[6].drift) == (hour(6), (), ("profile",))
    row = at(2.5, told)
    assert row.has_profile("manager")
    assert row.has_profile("dispatcher")
    assert not at(5, told).has_profile("dispatcher")


def test_without_the_files_of_then_nobody_knows_what_a_profile_meant() -> None:
    """The key is known, its meaning is not; nor is a key that those files do not have."""
    told = past(*JOINED, tried(1, CREATED))
    assert FILES is not None
    for files in (None, AccessFiles({}, FILES.levels)):
        row = at(2, told, files)
        assert row.wanted is not None
        assert row.keycloak is not None
        assert (row.wanted.profile, row.wanted.features, row.wanted.data_access) == ("dispatcher", None, None)
        assert row.keycloak.features is None
    row = at(2, told)
    assert row.wanted is not None
    assert (row.wanted.data_access, "scheduling" in (row.wanted.features or ())) == ("branch", True)


def test_a_user_that_was_deleted_lets_nobody_in() -> None:
    """As long as it is missing."""
    told = past(*JOINED, tried(1, CREATED), Found(Aspect.MISSING, None, hour(2), hour(3), hour(4)))
    assert [at(number, told).access for number in (1, 2, 4)] == [Access.YES, Access.NO, Access.YES]


def test_files_that_this_version_cannot_read_mean_nothing() -> None:
    """Never those of today in their place."""
    texts = read_texts()
    assert read_access({}) is None
    assert read_access({**texts, "profiles.toml": "features = ["}) is None
    assert (
        read_access({**texts, "profiles.toml": texts["profiles.toml"].replace("rank = 50", "rank = 'x'")}) is None
    )
    assert read_access({**texts, "drift.toml": "nothing = 'that is known'"}) == FILES
