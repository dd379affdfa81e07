"""Drift: what Keycloak holds of an account that is not what is wanted, attribute by attribute (G4).

It sees what `plan.diff` sees, no more and no less: an account whose plan is empty has no drift. What is done
about a difference is said by `drift.toml`; finding the accounts that differ among many is `balance`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sync.domain.access import vocabulary
from sync.domain.errors import Unsafe
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import ACCOUNT_ID, TECHNICIAN_ID, Observed


class Attribute(StrEnum):
    """In what an account, a user or a group of ours differs. Those named in `mappings.drift.CHOICES` have a
    reaction of their own; the others are only ever reported."""

    MISSING = "missing"
    SWITCHED_OFF = "switched-off"
    SWITCHED_ON = "switched-on"
    USERNAME = "username"
    EMAIL = "email"
    GIVEN_NAME = "given-name"
    FAMILY_NAME = "family-name"
    PROFILE = "profile"
    BRANCH = "branch"
    TEAM = "team"
    DATA_ACCESS = "data-access"
    FIELD_TECHNICIANS = "field-technicians"
    SECOND_FACTOR = "second-factor"
    OTHER_GROUP = "other-group"
    ROLE = "role"
    TECHNICIAN_ID = "technician-id"

    ACCOUNT_ID = "account-id"
    ADMINISTERS_REALM = "administers-realm"
    FEATURE_ROLE = "feature-role"
    GROUP_MISSING = "group-missing"
    GROUP_ROLES = "group-roles"
    FOREIGN_MEMBER = "foreign-member"
    FOREIGN_ROLE = "foreign-role"
    STRAY_ACCOUNT_ID = "stray-account-id"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Difference:
    """Several values of one attribute stand in alphabetical order, separated by comma and blank. None: nothing."""

    attribute: Attribute
    wanted: str | None
    found: str | None


GROUP_KINDS: Mapping[Attribute, str] = {
    Attribute.PROFILE: vocabulary.PROFILES,
    Attribute.BRANCH: vocabulary.BRANCHES,
    Attribute.TEAM: vocabulary.TEAMS,
    Attribute.DATA_ACCESS: vocabulary.DATA_ACCESS,
}
"""Where the groups of each kind hang."""

SINGLE_GROUPS: Mapping[Attribute, str] = {
    Attribute.FIELD_TECHNICIANS: vocabulary.FIELD_TECHNICIANS,
    Attribute.SECOND_FACTOR: vocabulary.SECOND_FACTOR,
}


def differences(desired: DesiredState, observed: Observed | None) -> tuple[Difference, ...]:
    """What differs; `observed` None: Keycloak says that there is no such user.

    A lockout of Keycloak's own is no drift, permanent or not: the wanted state does not know it.
    """
    if observed is None:
        return (Difference(Attribute.MISSING, desired.username, None),)
    found = [
        *_ownership(desired, observed),
        *_switch(desired, observed),
        *_details(desired, observed),
        *_groups(desired, observed),
    ]
    roles = sorted(role for role in observed.roles if vocabulary.owns_role(role))
    if roles:
        found.append(Difference(Attribute.ROLE, None, _listed(roles)))
    return tuple(found)


FEW = 9
"""As many users of ours may be missing whatever the share: each of them is looked at by itself."""


def refuse_shrunken(expected: int, listed: int, most_missing_percent: int) -> None:
    """Raises Unsafe if the listing lacks so many of our users that it is an outage, or another realm, rather than
    people who were deleted (E7)."""
    missing = expected - listed
    if (listed == 0 and expected > 1) or missing > max(FEW, expected * most_missing_percent // 100):
        raise Unsafe(
            f"Keycloak lists {listed} of our {expected} users: an outage or another realm, nobody is taken for "
            "gone. Check FSM_KEYCLOAK__REALM and Keycloak itself; drift.toml has the limit"
        )


def _ownership(desired: DesiredState, observed: Observed) -> list[Difference]:
    """What makes the worker refuse the user as a whole (`plan.refuse_unsafe`)."""
    found = []
    carried = observed.attributes.get(ACCOUNT_ID, ())
    if observed.account_id != desired.account_id:
        found.append(Difference(Attribute.ACCOUNT_ID, desired.account_id, _listed(carried)))
    if observed.administers_realm:
        found.append(Difference(Attribute.ADMINISTERS_REALM, None, "a role of realm-management"))
    return found


def _switch(desired: DesiredState, observed: Observed) -> list[Difference]:
    locked = observed.lock.permanent or observed.lock.temporary
    if desired.enabled and not observed.enabled and not locked:
        return [Difference(Attribute.SWITCHED_OFF, "enabled", "disabled")]
    if observed.enabled and not desired.enabled:
        return [Difference(Attribute.SWITCHED_ON, "disabled", "enabled")]
    return []


def _details(desired: DesiredState, observed: Observed) -> list[Difference]:
    compared = (
        (Attribute.USERNAME, desired.username, observed.username),
        (Attribute.EMAIL, desired.email, observed.email),
        (Attribute.GIVEN_NAME, desired.given_name, observed.given_name),
        (Attribute.FAMILY_NAME, desired.family_name, observed.family_name),
        (
            Attribute.TECHNICIAN_ID,
            _listed(desired.attributes.get(TECHNICIAN_ID, ())),
            _listed(observed.attributes.get(TECHNICIAN_ID, ())),
        ),
    )
    return [
        Difference(attribute, wanted or None, found or None)
        for attribute, wanted, found in compared
        if (wanted or None) != (found or None)
    ]


def _groups(desired: DesiredState, observed: Observed) -> list[Difference]:
    owned = frozenset(path for path in observed.groups if vocabulary.owns_group(path))
    found = []
    explained: set[str] = set()
    for attribute, parent in GROUP_KINDS.items():
        wanted_keys, found_keys = _below(parent, desired.groups), _below(parent, owned)
        explained |= {f"{parent}/{key}" for key in found_keys}
        if wanted_keys != found_keys:
            found.append(Difference(attribute, _listed(wanted_keys), _listed(found_keys)))
    for attribute, path in SINGLE_GROUPS.items():
        explained.add(path)
        if (path in desired.groups) != (path in owned):
            wanted = "member" if path in desired.groups else None
            found.append(Difference(attribute, wanted, None if wanted else "member"))
    others = owned - explained
    if others:
        found.append(Difference(Attribute.OTHER_GROUP, None, _listed(others)))
    return found


def _below(parent: str, paths: Collection[str]) -> frozenset[str]:
    """The keys of the groups right below `parent`."""
    start = f"{parent}/"
    return frozenset(
        path.removeprefix(start) for path in paths if path.startswith(start) and "/" not in path[len(start) :]
    )


def _listed(values: Collection[str]) -> str | None:
    return ", ".join(sorted(values)) or None
