"""Who may do what to whom (I4, rule: never-above-your-own): one pure function, asked by
`sync.commands.access.authority` and by reviews.

Equal rank is allowed, above never. Neither the profile nor the data access of an account that somebody touches, or
makes, is above their own. An account lies in the caller's scope before and after, so that nobody who administers a
branch moves anybody in or out; accounts without a branch are the whole company's. What is true of the world, such
as the last administrator or a name that is taken, is no permission and is refused elsewhere, to every caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, assert_never

from mappings.policy import Policy
from mappings.profiles import ADMINISTER, OPERATE
from sync.domain.access.callers import Caller, Machine, Person, Program, Source, System
from sync.domain.access.data_access import data_access_of
from sync.domain.access.permissions import EVERYWHERE, ON_ACCOUNT, ON_ONESELF, OPERATIONS, Permission
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.change import changed_fields
from sync.domain.errors import Problem

BY_ITSELF: Final[Mapping[System, frozenset[Permission]]] = {
    System.DRIFT_FILE: frozenset({Permission.CHANGE, Permission.DECIDE_DRIFT, Permission.REPAIR}),
    System.MAPPING_FILES: frozenset({Permission.ADOPT_MAPPINGS, Permission.CHANGE}),
    System.WORK_ORDER_GATE: frozenset({Permission.REACTIVATE, Permission.CHANGE}),
    System.HOLD_DEADLINE: frozenset({Permission.DEACTIVATE}),
    System.FIRST_DAY: frozenset({Permission.REACTIVATE, Permission.RESET_PASSWORD}),
    System.EXPIRY: frozenset({Permission.EXPIRE_PASSWORD, Permission.DEACTIVATE}),
    System.RETENTION: frozenset(),
    System.MAIL_WEBHOOK: frozenset({Permission.REPORT_BOUNCE}),
}

FROM_HR: Final = frozenset({Permission.CREATE, Permission.CHANGE, Permission.DEACTIVATE, Permission.REACTIVATE})

ASK = "ask somebody who administers more than you do"


@dataclass(frozen=True, slots=True)
class Reach:
    """What a person or a program has. `everywhere`: the whole company; else `branch`, or nothing at all (None).
    `width` is that of the own data access."""

    features: frozenset[str]
    rank: int
    width: int
    everywhere: bool
    branch: str | None

    def holds(self, account: Account) -> bool:
        return self.everywhere or (self.branch is not None and account.branch == self.branch)


def may(
    caller: Caller,
    permission: Permission,
    before: Account | None,
    after: Account | None,
    *,
    own: Account | None,
    policy: Policy | None,
    today: date,
) -> Problem | None:
    """None: it is allowed; else why it is not.

    `before` None: the account is made; both None: it is about no single account. `own` is the row of a Person's
    account. `policy` None: there is none to judge by, as at an operator's desk; only who may everything gets on.
    """
    match caller:
        case Machine():
            return None
        case System():
            return None if permission in BY_ITSELF[caller] else _never(caller.value, permission)
        case _ if policy is None:
            return Problem("caller", "cannot be judged without mapping files", "use the command line")
        case Person(None, name):
            return None if name in policy.realm.break_glass else Problem("caller", f"{name} has no account")
        case Person():
            return _person(permission, before, after, own, policy)
        case Program():
            return _program(caller, permission, before, after, policy, today)
        case Source():
            return _source(caller, permission, before, after)
        case _:
            assert_never(caller)


def reach_of(account: Account, policy: Policy) -> Reach | None:
    """None: the account has nothing, for it is inactive or the mapping files know it no more."""
    profile, access = policy.profiles.get(account.profile), data_access_of(account, policy)
    if account.life is not Life.ACTIVE or profile is None or access is None:
        return None
    level = access.effective
    branch = account.branch if level.needs == "branch" else None
    return Reach(profile.features, profile.rank, level.width, everywhere=level.needs is None, branch=branch)


def _person(
    permission: Permission, before: Account | None, after: Account | None, own: Account | None, policy: Policy
) -> Problem | None:
    reach = None if own is None else reach_of(own, policy)
    if own is None or reach is None:
        return Problem("caller", "has no active account", "log in as somebody who has")
    if before is not None and before.id == own.id:
        if permission in ON_ONESELF:
            return None
        return Problem("account", "is your own", "ask another administrator")
    return _within(reach, permission, before, after, policy)


def _program(
    program: Program,
    permission: Permission,
    before: Account | None,
    after: Account | None,
    policy: Policy,
    today: date,
) -> Problem | None:
    role, ceiling = policy.profiles.get(program.role), policy.data_access.get(program.ceiling)
    if program.ends is not None and today >= program.ends:
        return Problem("caller", f"{program.client_id} was to be used until {program.ends}", "renew it")
    if role is None or ceiling is None:
        return Problem("caller", f"{program.client_id} has a role or a ceiling that the mapping files lack")
    everywhere = program.branch is None
    reach = Reach(role.features, role.rank, ceiling.width, everywhere=everywhere, branch=program.branch)
    return _within(reach, permission, before, after, policy)


def _source(
    source: Source, permission: Permission, before: Account | None, after: Account | None
) -> Problem | None:
    if permission not in FROM_HR or after is None:
        return _never(source.key, permission)
    changed = changed_fields(before, after).keys() if before is not None else frozenset[str]()
    for field in sorted(changed - {"life"} - source.sets):
        return Problem(field, f"is not for {source.key} to say", "see its file in hr_sources")
    return None


def _within(
    reach: Reach, permission: Permission, before: Account | None, after: Account | None, policy: Policy
) -> Problem | None:
    feature = OPERATE if permission in OPERATIONS else ADMINISTER
    if feature not in reach.features:
        return Problem("caller", f"lacks the feature {feature}", ASK)
    if permission in OPERATIONS | EVERYWHERE:
        return None if reach.everywhere else Problem("caller", "does not see the whole company", ASK)
    if not reach.everywhere and reach.branch is None:
        return Problem("caller", "administers no branch: that takes branch or global access", ASK)
    if permission not in ON_ACCOUNT:
        return None
    if before is None and after is None:
        return Problem("account", "is not named")
    for account in (before, after):
        problem = None if account is None else _touches(reach, account, policy)
        if problem is not None:
            return problem
    return None


def _touches(reach: Reach, account: Account, policy: Policy) -> Problem | None:
    if not reach.holds(account):
        where = f"{account.branch!r} is not your branch" if account.branch else "none: it is the whole company's"
        return Problem("branch", where, ASK)
    profile = policy.profiles.get(account.profile)
    if profile is None or profile.rank > reach.rank:
        title = profile.title if profile else repr(account.profile)
        return Problem("profile", f"{title} is above your own", ASK)
    access = data_access_of(account, policy)
    if access is None or access.asked.width > reach.width:
        title = access.asked.title if access else repr(account.data_access)
        return Problem("data_access", f"{title} is more than your own", ASK)
    return None


def _never(who: str, permission: Permission) -> Problem:
    return Problem("caller", f"{who} never does this: {permission.value}")
