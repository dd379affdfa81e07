"""What an account is given, since when, by whom and why (A5, A7): one line for each kind of access."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mappings.policy import Policy
from sync.domain.access.data_access import data_access_of
from sync.domain.accounts.account import Account
from sync.store.audit.trail import Assignment
from sync.views.accounts.account import assignment_of

USUAL = "the usual level of the profile"


@dataclass(frozen=True, slots=True)
class Given:
    """`value` as people call it, None: nothing. `why` is who gave it through which door, and the reason; without a
    history that and `since` are None."""

    what: str
    value: str | None
    note: str
    since: datetime | None
    why: str | None


def given_access(account: Account, history: Sequence[Assignment], policy: Policy) -> tuple[Given, ...]:
    """`history` is the oldest first. A level that nobody chose comes with the profile and counts from then; the
    `value` of a level is what the account may have, and the note says where more is asked for."""
    profile, branch = policy.profiles.get(account.profile), policy.branches.get(account.branch or "")
    team = policy.teams.get(account.team or "")
    access = data_access_of(account, policy)
    level = access.effective.title if access else account.data_access
    usual = "" if account.data_access else USUAL
    note = str(access) if access and access.is_lowered else usual
    return (
        _given("profile", profile.title if profile else account.profile, history, lambda each: each.profile),
        _given("data access", level, history, _of_data_access, note),
        _given("branch", branch.title if branch else account.branch, history, lambda each: each.branch),
        _given("team", team.title if team else account.team, history, lambda each: each.team),
        _given("technician", account.technician_id, history, lambda each: each.technician_id),
    )


def cells(given: Given) -> list[object]:
    """What, value, since, who and why."""
    value = f"{given.value} ({given.note})" if given.note else given.value
    return [given.what, value, given.since, given.why]


def _of_data_access(each: Assignment) -> object:
    """With a level of its own the profile does not matter."""
    return each.data_access or ("usual", each.profile)


def _given(
    what: str,
    value: str | None,
    history: Sequence[Assignment],
    of: Callable[[Assignment], object],
    note: str = "",
) -> Given:
    gave = assignment_of(history, of)
    if value is None or gave is None:
        return Given(what, value, note if value else "", None, None)
    return Given(what, value, note, gave.at, f"{gave.by} ({gave.door}): {gave.reason}")
