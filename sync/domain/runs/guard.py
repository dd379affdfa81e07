"""The mass-change guard: what a run does to how many accounts, and whether a person has to approve it (E7).

Pure. Each door that can change many judges its whole run before anything is handed out
(rule: judge-the-whole-run): what every account may do before is compared with what it may do after, under the
policies of before and after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from mappings.guard import KINDS, ChangeKind, GuardedDoor, GuardRules, Limit
from mappings.policy import Policy
from sync.domain.access.data_access import data_access_of
from sync.domain.accounts.account import Account, Life
from sync.domain.provisioning.desired import works_in_the_field


@dataclass(frozen=True, slots=True)
class Access:
    """What an account may do and see under one policy.

    `outranks` and `sees_more_than` are the profiles and levels below its own, `profiles` and `levels` are all of
    them: ranks and widths that are only numbered anew mean nothing.
    """

    active: bool
    branch: str | None
    team: str | None
    technician_id: str | None
    field_work: bool
    features: frozenset[str]
    outranks: frozenset[str]
    profiles: frozenset[str]
    sees_more_than: frozenset[str]
    levels: frozenset[str]


def access_of(account: Account, policy: Policy) -> Access:
    """The profile must be in the policy (rule: keys-in-use-stay)."""
    profile, access = policy.profiles[account.profile], data_access_of(account, policy)
    width = 0 if access is None else access.effective.width
    return Access(
        active=account.life is Life.ACTIVE,
        branch=account.branch,
        team=account.team,
        technician_id=account.technician_id,
        field_work=works_in_the_field(account, profile),
        features=profile.features,
        outranks=frozenset(key for key, each in policy.profiles.items() if each.rank < profile.rank),
        profiles=frozenset(policy.profiles),
        sees_more_than=frozenset(key for key, each in policy.data_access.items() if each.width < width),
        levels=frozenset(policy.data_access),
    )


def effects(before: Access | None, after: Access) -> frozenset[ChangeKind]:
    """What happens to one account that is changed; `before` None: it is new. An account that cannot log in loses
    nothing."""
    if before is None:
        return frozenset({"created"})
    found: set[ChangeKind] = {"changed"}
    if not before.active:
        return frozenset(found)
    if not after.active:
        found.add("disabled")
    if (before.branch, before.team) != (after.branch, after.team):
        found.add("moved")
    if _less(before, after):
        found.add("demoted")
    if before.technician_id not in (None, after.technician_id):
        found.add("unlinked")
    return frozenset(found)


def _less(before: Access, after: Access) -> bool:
    return (
        bool(before.features - after.features)
        or bool((before.outranks & after.profiles) - after.outranks)
        or bool((before.sees_more_than & after.levels) - after.sees_more_than)
        or (before.field_work and not after.field_work)
    )


@dataclass(frozen=True, slots=True)
class Impact:
    """How many accounts of a run each kind of change happens to; an account may be counted under several."""

    counts: Mapping[ChangeKind, int] = field(default_factory=dict)

    @classmethod
    def of(cls, accounts: Iterable[Iterable[ChangeKind]]) -> Impact:
        """From the effects on each account, in any order."""
        return cls(Counter(kind for kinds in accounts for kind in kinds))

    def __getitem__(self, kind: ChangeKind) -> int:
        return self.counts.get(kind, 0)

    def __add__(self, other: Impact) -> Impact:
        return Impact({kind: self[kind] + other[kind] for kind in KINDS})


@dataclass(frozen=True, slots=True)
class Pass:
    """Nothing is exceeded."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A person has to approve it; `reasons` say which limits are exceeded, in the order of the kinds."""

    reasons: tuple[str, ...]


GuardVerdict: TypeAlias = Pass | Hold

WORDS: Mapping[ChangeKind, str] = {
    "created": "created",
    "changed": "changed",
    "disabled": "disabled",
    "moved": "moved to another branch or team",
    "demoted": "able to do or see less",
    "unlinked": "without their technician record, or with another one",
}


def judge(impact: Impact, population: int, rules: GuardRules, door: GuardedDoor) -> GuardVerdict:
    """A whole run through a door. `population` is how many accounts are active before it."""
    return judge_by(impact, population, rules.of(door))


def judge_by(impact: Impact, population: int, limits: Mapping[ChangeKind, Limit], when: str = "") -> GuardVerdict:
    """With the limits themselves; `when` follows the number of accounts in each reason."""
    reasons = tuple(
        f"{_accounts(impact[kind])}{when} would be {WORDS[kind]}: {exceeded}"
        for kind in KINDS
        if (exceeded := _exceeded(impact[kind], population, limits[kind]))
    )
    return Hold(reasons) if reasons else Pass()


def judge_push(
    pushed: Impact, this: Impact, population: int, rules: GuardRules, door: GuardedDoor
) -> GuardVerdict:
    """One change that a source pushes by itself. `pushed` is what the source has pushed in the window before, what
    was held of it included: else the first ones of a flood would pass again and again. Only the kinds of this very
    change count: a joiner is not held because many have left."""
    together = pushed + this
    own = Impact({kind: together[kind] for kind in KINDS if this[kind]})
    return judge_by(own, population, rules.of(door), f" within {rules.window_minutes} minutes")


def _exceeded(number: int, population: int, limit: Limit) -> str:
    """In words; empty if nothing is."""
    if limit.accounts is not None and number > limit.accounts:
        return f"more than {limit.accounts}"
    if limit.percent is None or population == 0 or number < limit.percent_from:
        return ""
    if number * 100 > limit.percent * population:
        return f"{number * 100 // population} % of {population} active ones, more than {limit.percent} %"
    return ""


def _accounts(number: int) -> str:
    return "1 account" if number == 1 else f"{number} accounts"
