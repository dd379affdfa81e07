"""Whom a realm plan takes something from: members of groups of ours that lose roles, and everybody where the rules
of sessions, passwords or lockout change (E7). Pure; `realm.realm` counts the members and judges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sync.domain.access import vocabulary
from sync.domain.realm.difference import RealmPlan, Update
from sync.domain.realm.item import ItemKind, Value

FOR_EVERYBODY = frozenset(
    {
        "passwordPolicy",
        "bruteForceProtected",
        "failureFactor",
        "maxSecondaryAuthFailures",
        "permanentLockout",
        "ssoSessionIdleTimeout",
        "ssoSessionMaxLifespan",
        "offlineSessionIdleTimeout",
        "accessTokenLifespan",
    }
)
"""Settings of the realm that every account notices."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Everybody in the group loses these roles of ours: features as `fsm/feature`, others by their names."""

    group: str
    roles: tuple[str, ...]


def losses(plan: RealmPlan) -> tuple[Loss, ...]:
    """What somebody else has put on a group is not counted: to lose it is no loss."""
    return tuple(_losses(plan))


def changes_for_everybody(plan: RealmPlan) -> tuple[str, ...]:
    """The settings of `FOR_EVERYBODY` that the plan changes, sorted."""
    changed = {
        name
        for each in plan.differences
        if isinstance(each, Update) and each.kind is ItemKind.REALM
        for name in each.new.keys() & FOR_EVERYBODY
        if each.existing.get(name) is not None
    }
    return tuple(sorted(changed))


def _losses(plan: RealmPlan) -> Iterator[Loss]:
    for each in plan.differences:
        if isinstance(each, Update) and each.kind is ItemKind.GROUP and "roles" in each.new:
            kept = _names(each.new["roles"])
            gone = tuple(role for role in _names(each.existing.get("roles")) if role not in kept and _ours(role))
            if gone:
                yield Loss(each.name, gone)


def _names(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _ours(role: str) -> bool:
    return vocabulary.owns_role(role) or role.startswith(f"{vocabulary.FEATURES_CLIENT}/")
