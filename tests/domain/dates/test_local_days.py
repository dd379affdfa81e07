"""When a local day begins and ends (E4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import load
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.status import AccountStatus, Status, status_of
from sync.domain.dates import begins_at, ends_at, first_instant, is_over, is_to_come

pytestmark = pytest.mark.supports("E4")

POLICY = load()
ZONES = sorted(available_timezones())
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACCOUNT = Account(
    id="a",
    username="jo.lind",
    email="jo.lind@example.com",
    given_name="Jo",
    family_name="Lind",
    profile="dispatcher",
    branch="berlin",
    team=None,
    data_access=None,
    technician_id=None,
    employee_number=None,
    life=Life.ACTIVE,
    created_at=NOW,
)


@pytest.mark.parametrize(
    ("day", "zone", "instant"),
    [
        (date(2026, 12, 1), "Europe/Berlin", "2026-11-30T23:00"),
        (date(2026, 7, 1), "Europe/Berlin", "2026-06-30T22:00"),
        (date(2026, 3, 29), "Europe/Berlin", "2026-03-28T23:00"),
        (date(2024, 9, 8), "America/Santiago", "2024-09-08T04:00"),  # 00:00 is left out: it begins at 01:00
        (date(2026, 3, 29), "Asia/Beirut", "2026-03-28T22:00"),  # likewise
        (date(2024, 4, 7), "America/Santiago", "2024-04-07T04:00"),  # 23:00 of the day before comes twice
        (date(2026, 11, 1), "America/Havana", "2026-11-01T04:00"),  # 00:00 comes twice: the first of them
        (date(2011, 12, 30), "Pacific/Apia", "2011-12-30T10:00"),  # the day is left out
        (date(2011, 12, 31), "Pacific/Apia", "2011-12-30T10:00"),
        (date(1919, 3, 31), "America/Toronto", "1919-03-31T04:30"),  # 23:30 to 00:30 is left out
    ],
)
def test_a_day_begins_with_its_first_instant(day: date, zone: str, instant: str) -> None:
    """Which is not always 00:00."""
    assert first_instant(day, ZoneInfo(zone)) == datetime.fromisoformat(f"{instant}+00:00")


@given(st.dates(date(1975, 1, 1), date(2045, 1, 1)), st.sampled_from(ZONES))
def test_nothing_of_the_day_is_before_its_first_instant(day: date, name: str) -> None:
    """At it the day has come, and a second earlier it had not, unless clocks that go back bring it twice."""
    zone = ZoneInfo(name)
    at = first_instant(day, zone)
    assert at.astimezone(zone).date() >= day
    earlier = at - timedelta(seconds=1)
    assert earlier.astimezone(zone).date() < day


@given(st.dates(date(1975, 1, 1), date(2045, 1, 1)), st.sampled_from(ZONES))
def test_days_follow_each_other(day: date, name: str) -> None:
    """No day begins before the one before it."""
    zone = ZoneInfo(name)
    assert first_instant(day, zone) <= first_instant(day + timedelta(days=1), zone)


def test_a_move_of_branch_moves_the_instant() -> None:
    """Only the day is stored; without a branch the company's zone holds."""
    branches = {
        "berlin": POLICY.branches["berlin"],
        "lisbon": replace(POLICY.branches["berlin"], key="lisbon", time_zone="Europe/Lisbon"),
    }
    policy = replace(POLICY, branches=branches, time_zone="Asia/Tokyo")
    dated = replace(ACCOUNT, valid_from=date(2026, 12, 1), valid_until=date(2026, 12, 31))
    found = [
        (begins_at(each, policy), ends_at(each, policy))
        for branch in ("berlin", "lisbon", None)
        for each in [replace(dated, branch=branch)]
    ]
    hours = [(begin.day, begin.hour, end.day, end.hour) for begin, end in found if begin and end]
    assert hours == [(30, 23, 31, 23), (1, 0, 1, 0), (30, 15, 31, 15)]


def test_the_last_day_counts_whole() -> None:
    """And the first from its beginning."""
    dated = replace(ACCOUNT, valid_from=date(2026, 3, 2), valid_until=date(2026, 3, 2))
    begin, end = begins_at(dated, POLICY), ends_at(dated, POLICY)
    assert begin is not None
    assert end is not None
    moment = timedelta(seconds=1)
    assert [is_to_come(dated, POLICY, at) for at in (begin - moment, begin)] == [True, False]
    assert [is_over(dated, POLICY, at) for at in (end - moment, end)] == [False, True]


@pytest.mark.supports("A8")
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"life": Life.EXPECTED, "valid_from": date(2026, 12, 1)}, (Status.PENDING, "from 1 December")),
        ({"life": Life.EXPECTED, "valid_from": date(2027, 1, 1)}, (Status.PENDING, "from 1 January 2027")),
        ({"valid_until": date(2026, 12, 31)}, (Status.PENDING, "not in Keycloak yet; until 31 December")),
    ],
)
def test_the_status_says_from_when_and_until_when(changed: dict[str, object], status: tuple[Status, str]) -> None:
    """With the year where it is not this one."""
    assert status_of(replace(ACCOUNT, **changed), None, now=NOW) == AccountStatus(*status)  # type: ignore[arg-type]
