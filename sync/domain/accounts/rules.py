"""The rules an account must obey before it is stored (A2, A3, A5). Pure; every door calls them through the
commands, and an import calls them for each row of its review.

Uniqueness is the database's to decide; here is what one account can be judged by alone.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping

from mappings.policy import Policy
from sync.domain.access.data_access import data_access_of
from sync.domain.accounts.account import Account
from sync.domain.accounts.attribute_values import NotUnderstood, canonical
from sync.domain.accounts.user_names import refused_names, unfit
from sync.domain.errors import Problem

_IDENTIFIER = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?")


def check(account: Account, policy: Policy, before: Account | None = None) -> tuple[Problem, ...]:
    """Every problem of the account; empty if it may be stored. `before`: as it is stored now; None: it is new."""
    return (
        *refused_names(
            username=account.username,
            email=account.email,
            given_name=account.given_name,
            family_name=account.family_name,
        ),
        *_identifiers(account),
        *_access(account, policy, before),
        *_dates(account),
        *_attributes(account, policy),
    )


def _identifiers(account: Account) -> Iterator[Problem]:
    for name in ("employee_number", "technician_id"):
        value = getattr(account, name)
        if value is None:
            continue
        problems = unfit(name, value)
        yield from problems
        if not problems and not _IDENTIFIER.fullmatch(value):
            yield Problem(name, f"{value!r} is not usable", "no control characters, no blanks at the ends")


def _access(account: Account, policy: Policy, before: Account | None) -> Iterator[Problem]:
    profile = policy.profiles.get(account.profile)
    if profile is None:
        yield Problem("profile", f"{account.profile!r} is unknown", _nearest(account.profile, policy.profiles))
    if account.branch is not None and account.branch not in policy.branches:
        yield Problem("branch", f"{account.branch!r} is unknown", _nearest(account.branch, policy.branches))
    team = policy.teams.get(account.team) if account.team is not None else None
    if account.team is not None and team is None:
        yield Problem("team", f"{account.team!r} is unknown", _nearest(account.team, policy.teams))
    if team is not None and team.branch != account.branch:
        yield Problem(
            "team",
            f"team {team.key!r} belongs to branch {team.branch!r}, the account to {account.branch!r}",
            "choose a team of the account's branch, or change the branch with it",
        )
    if profile is None:
        return
    access = data_access_of(account, policy)
    if access is None:
        key = account.data_access or profile.default_data_access
        yield Problem("data_access", f"{key!r} is unknown", _nearest(key, policy.data_access))
        return
    level = access.effective
    if access.is_lowered and not _asked_already(account, before):
        level = access.asked
        yield Problem(
            "data_access",
            f"{level.title} is more than profile {profile.title} may have",
            f"at most {access.effective.title}",
        )
    if level.needs == "branch" and account.branch is None:
        yield Problem("branch", f"data access {level.title} needs a branch", "set the branch")
    if level.needs == "team" and account.team is None:
        yield Problem("team", f"data access {level.title} needs a team", "set the team")
    if level.needs == "person" and account.technician_id is None and account.employee_number is None:
        yield Problem(
            "data_access",
            f"data access {level.title} needs a person",
            "set the employee number or link a technician",
        )


def _asked_already(account: Account, before: Account | None) -> bool:
    """The ceiling was lowered since: the account has the lower level, and any other change of it goes on."""
    return before is not None and (before.profile, before.data_access) == (account.profile, account.data_access)


def _nearest(wrong: str, known: Collection[str]) -> str:
    """A remedy that names the nearest valid key, or all of them when none is near."""
    near = difflib.get_close_matches(wrong.lower(), known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"


def _dates(account: Account) -> Iterator[Problem]:
    if account.valid_from and account.valid_until and account.valid_until < account.valid_from:
        yield Problem(
            "valid_until", f"{account.valid_until} is before the start {account.valid_from}", "swap the dates"
        )


def _attributes(account: Account, policy: Policy) -> Iterator[Problem]:
    """The company's own: whatever door a value came through, it is one that attributes.toml allows, in its one
    spelling. What is left of an attribute that is no longer in the file is for the run that removes it."""
    for key in account.attributes.keys() & policy.attributes.keys():
        attribute, text = policy.attributes[key], account.attributes[key]
        try:
            if canonical(attribute, text) != text:
                yield Problem(key, f"{text!r} is not spelled as it is stored", f"{canonical(attribute, text)!r}")
        except NotUnderstood as why:
            yield Problem(key, why.reason, why.remedy)


def unknown_attributes(given: Mapping[str, str | None], policy: Policy) -> Iterator[Problem]:
    """Those of attributes.toml alone can be given."""
    for key, text in given.items():
        if text is not None and key not in policy.attributes:
            remedy = _nearest(key, policy.attributes) if policy.attributes else "attributes.toml has none"
            yield Problem(key, "is no attribute of an account", remedy)
