"""What a change does to one account, in the words of the mass-change guard: what it takes, what it gives (E7).

Pure. What every account may do before is compared with what it may do after, under the policies of before and
after; `guard` judges how many accounts that happens to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mappings.guard import ChangeKind
from mappings.policy import Policy
from mappings.profiles import ADMINISTER
from sync.domain.access.data_access import data_access_of
from sync.domain.accounts.account import Account, Life
from sync.domain.provisioning.desired import works_in_the_field

PROMOTIONS: frozenset[ChangeKind] = frozenset({"promoted", "privileged"})
"""What is given, for runs and pushes to be judged by; whoever gives it to one account looks at it."""

ORDINARY: frozenset[ChangeKind] = frozenset({"created", "changed"})
"""What says nothing of access."""


@dataclass(frozen=True, slots=True)
class Access:
    """What an account may do and see under one policy.

    `rank` and `width` are those of its profile and its level. `above_default`: it sees more than its profile says
    by default; `everywhere`: it sees the whole company.
    """

    policy: Policy = field(repr=False)
    active: bool
    branch: str | None
    team: str | None
    technician_id: str | None
    field_work: bool
    features: frozenset[str]
    rank: int
    width: int
    above_default: bool
    everywhere: bool

    @property
    def outranks(self) -> frozenset[str]:
        """The profiles below its own: ranks that are only numbered anew mean nothing."""
        return frozenset(key for key, each in self.policy.profiles.items() if each.rank < self.rank)

    @property
    def sees_more_than(self) -> frozenset[str]:
        """The levels below its own, for the same reason."""
        return frozenset(key for key, each in self.policy.data_access.items() if each.width < self.width)

    @property
    def privileges(self) -> frozenset[str]:
        """It keeps accounts; it sees the whole company although its profile does not by default."""
        wide = frozenset({"everywhere"} if self.above_default and self.everywhere else ())
        return wide | (self.features & {ADMINISTER})


def access_of(account: Account, policy: Policy) -> Access:
    """The profile must be in the policy (rule: keys-in-use-stay)."""
    profile, access = policy.profiles[account.profile], data_access_of(account, policy)
    level = None if access is None else access.effective
    width = 0 if level is None else level.width
    default = policy.data_access[profile.default_data_access]
    return Access(
        policy=policy,
        active=account.life is Life.ACTIVE,
        branch=account.branch,
        team=account.team,
        technician_id=account.technician_id,
        field_work=works_in_the_field(account, profile),
        features=profile.features,
        rank=profile.rank,
        width=width,
        above_default=width > default.width,
        everywhere=level is not None and level.needs is None,
    )


def effects(before: Access | None, after: Access) -> frozenset[ChangeKind]:
    """What happens to one account that is changed; `before` None: it is new. An account that cannot log in loses
    nothing; one that can again gains like a new one."""
    gained = _gained(before, after)
    if before is None:
        return frozenset({"created", *gained})
    return frozenset({"changed", *(_lost(before, after) if before.active else ()), *gained})


def _lost(before: Access, after: Access) -> Iterator[ChangeKind]:
    if not after.active:
        yield "disabled"
    if (before.branch, before.team) != (after.branch, after.team):
        yield "moved"
    if _has_more(before, after) or (before.field_work and not after.field_work):
        yield "demoted"
    if before.technician_id not in (None, after.technician_id):
        yield "unlinked"


def _gained(before: Access | None, after: Access) -> Iterator[ChangeKind]:
    comes = before is None or (after.active and not before.active)
    more = before is not None and _has_more(after, before)
    if more or (comes and (after.privileges or after.above_default)):
        yield "promoted"
        had = frozenset[str]() if before is None or comes else before.privileges
        if after.privileges - had:
            yield "privileged"


def _has_more(one: Access, other: Access) -> bool:
    """Whether `one` has anything that `other` lacks: a feature, a profile that it outranks, a level that it sees
    more than. What only one of two policies knows is nothing that the other could have."""
    return (
        bool(one.features - other.features)
        or bool((one.outranks & other.policy.profiles.keys()) - other.outranks)
        or bool((one.sees_more_than & other.policy.data_access.keys()) - other.sees_more_than)
    )
