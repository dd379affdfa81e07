"""When a first and a last day are: the instants at which they begin and end where the person works (E4). Pure.

Only the days are stored. The instants follow from the branch in force, so a move to another branch, or another
time zone in branches.toml, moves them too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from mappings.policy import Policy
from sync.domain.accounts.account import Account, Life
from sync.domain.errors import Problem

AHEAD = timedelta(hours=14)
"""No time zone is further ahead of UTC (IANA: Pacific/Kiritimati)."""


def first_instant(day: date, zone: tzinfo) -> datetime:
    """The first instant of the local day, in UTC. That is not 00:00 where the clocks go forward over midnight; of
    a day that a time zone has left out it is the first instant of the next one."""
    midnight = datetime.combine(day, time(), zone).astimezone(UTC)
    if (midnight - timedelta(seconds=1)).astimezone(zone).date() < day:
        return midnight
    before, at = midnight - timedelta(days=1), midnight
    while at - before > timedelta(seconds=1):
        between = before + (at - before) // 2
        between = between.replace(microsecond=0)
        if between <= before:
            break
        before, at = (between, at) if between.astimezone(zone).date() < day else (before, between)
    return at


def zone_of(account: Account, policy: Policy) -> ZoneInfo:
    """Of the branch; without one, and for one that these mapping files do not have, the company's."""
    branch = policy.branches.get(account.branch) if account.branch is not None else None
    return ZoneInfo(policy.time_zone if branch is None else branch.time_zone)


def begins_at(account: Account, policy: Policy) -> datetime | None:
    """None: there is no first day, and it has begun."""
    return None if account.valid_from is None else first_instant(account.valid_from, zone_of(account, policy))


def ends_at(account: Account, policy: Policy) -> datetime | None:
    """The first instant of the day after the last one. None: there is no end."""
    if account.valid_until is None or account.valid_until == date.max:
        return None
    return first_instant(account.valid_until + timedelta(days=1), zone_of(account, policy))


def is_to_come(account: Account, policy: Policy, now: datetime) -> bool:
    """Whether the first day is to come."""
    at = begins_at(account, policy)
    return at is not None and at > now


def is_over(account: Account, policy: Policy, now: datetime) -> bool:
    """Whether the last day has ended."""
    at = ends_at(account, policy)
    return at is not None and at <= now


def is_welcomed_later(account: Account, policy: Policy, now: datetime) -> bool:
    """Whether the first day is so far away that even the welcome mail waits (realm.toml, welcome_days_before)."""
    if account.valid_from is None:
        return False
    early = timedelta(days=policy.realm.welcome_days_before)
    if account.valid_from - date.min < early:
        return False
    return first_instant(account.valid_from - early, zone_of(account, policy)) > now


def life_of(account: Account, policy: Policy, now: datetime) -> Life:
    """Of somebody who is to have an account: from the first day on."""
    return Life.EXPECTED if is_to_come(account, policy, now) else Life.ACTIVE


def date_problems(before: Account | None, after: Account, policy: Policy, now: datetime) -> Iterator[Problem]:
    """What no date may ask for. `before` None: the account is new."""
    if before is None and is_over(after, policy, now):
        yield Problem("valid_until", f"{after.valid_until} is over", "nobody needs the account; or mend the date")
    if (
        before is not None
        and before.life is Life.ACTIVE
        and before.valid_from != after.valid_from
        and is_to_come(after, policy, now)
    ):
        yield Problem(
            "valid_from",
            f"{after.valid_from} is to come, and {before.username} has begun already",
            "deactivate the account, change the date, then reactivate it",
        )


def ended(account: Account, policy: Policy, now: datetime) -> Iterator[Problem]:
    """Against giving somebody access whose last day is over."""
    if is_over(account, policy, now):
        what = f"the last day of {account.username} was {account.valid_until}"
        yield Problem("valid_until", what, "change it first: account change --valid-until DAY, or - for no end")


Judge = Callable[[Account | None, Account], Problem | None]


def with_dates(judge: Judge, policy: Policy, now: datetime) -> Judge:
    """The same judge, who looks at the dates as well."""

    def judged(before: Account | None, after: Account) -> Problem | None:
        return judge(before, after) or next(date_problems(before, after, policy, now), None)

    return judged


def said(day: date, now: datetime) -> str:
    """For people: "1 December", and the year where it is not this one."""
    short = f"{day.day} {_MONTHS[day.month - 1]}"
    return short if day.year == now.year else f"{short} {day.year}"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
