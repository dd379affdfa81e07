"""From a genuine token and the account it belongs to: who asks over HTTP, and how far they see (I2, I4). Pure.

A token says what was true when it was made; the account says what is. It is asked at every request, so that
whoever was demoted a minute ago does nothing with a token that lives for four more.
"""

from __future__ import annotations

from dataclasses import dataclass

from mappings.policy import Policy
from mappings.profiles import ADMINISTER, OPERATE
from sync.domain.access.callers import Person
from sync.domain.access.data_access import data_access_of
from sync.domain.access.may import Reach, reach_of
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account, Life


@dataclass(frozen=True, slots=True)
class Said:
    """What a token says of its person. `profile` None: it gives no access to the field service."""

    username: str
    profile: str | None
    data_access: str | None
    branch: str | None
    team: str | None


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody who may ask. `administers` is what they may see of accounts; None: no more than their own record.
    `operates`: they look after the work of the whole company. `account` None: a break-glass name of realm.toml,
    which may everything."""

    caller: Person
    administers: Scope | None
    account: Account | None
    operates: bool


@dataclass(frozen=True, slots=True)
class Denied:
    """`renew`: a new token would say what is true, so asking for one may help."""

    reason: str
    remedy: str
    renew: bool = False


def admit(said: Said, own: Account | None, policy: Policy) -> Admitted | Denied:
    """`own` is the account of the token's subject, as it is now; None: it has none of ours."""
    if own is None:
        if said.username in policy.realm.break_glass:
            return Admitted(Person(None, said.username), Scope.all(), None, operates=True)
        return Denied("this login has no account here", "an administrator has to create it")
    if own.life is not Life.ACTIVE:
        return Denied("the account is inactive", "an administrator may reactivate it")
    access = data_access_of(own, policy)
    is_now = (own.profile, None if access is None else access.effective.key, own.branch, own.team)
    if (said.profile, said.data_access, said.branch, said.team) != is_now:
        return Denied("the account has changed since the token was made", "ask for a new token", renew=True)
    reach = reach_of(own, policy)
    operates = reach is not None and OPERATE in reach.features and reach.everywhere
    return Admitted(Person(own.id, own.username), _administers(reach), own, operates)


def _administers(reach: Reach | None) -> Scope | None:
    if reach is None or ADMINISTER not in reach.features:
        return None
    if reach.everywhere:
        return Scope.all()
    return Scope.of_branch(reach.branch) if reach.branch else None
