"""What is wrong in Keycloak and no change of an account mends: somebody of ours or theirs has to, in Keycloak's
console or by `realm apply`. A closed list; what does differ of an account is `provisioning.aspect`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import ACCOUNT_ID, NOT_LOOKED_AT, Seen


class Anomaly(StrEnum):
    """The first two make the worker refuse the user as a whole. Only ever reported.

    `LOST_ACCOUNT`: a user carries the mark of an account that our database does not have, as after it was restored
    from a backup; `STRAY_ACCOUNT_ID`: of one that has another user, or none.
    """

    ACCOUNT_ID = "account-id"
    ADMINISTERS_REALM = "administers-realm"
    FEATURE_ROLE = "feature-role"
    GROUP_MISSING = "group-missing"
    GROUP_ROLES = "group-roles"
    FOREIGN_MEMBER = "foreign-member"
    FOREIGN_ROLE = "foreign-role"
    STRAY_ACCOUNT_ID = "stray-account-id"
    LOST_ACCOUNT = "lost-account"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Irregularity:
    """One anomaly, written like a `Deviation`."""

    key: ClassVar[str] = ""

    attribute: Anomaly
    wanted: str | None
    found: str | None


def irregularities(desired: DesiredState, seen: Seen) -> tuple[Irregularity, ...]:
    """Why a worker refuses the user (`provisioning.plan.refuse_unsafe`); nothing of what was not looked at."""
    found = []
    if seen.attributes is not NOT_LOOKED_AT:
        carried = seen.attributes.get(ACCOUNT_ID, ())
        if carried != (desired.account_id,):
            found.append(Irregularity(Anomaly.ACCOUNT_ID, desired.account_id, listed(carried)))
    if seen.administers_realm is True:
        found.append(Irregularity(Anomaly.ADMINISTERS_REALM, None, "a role of realm-management"))
    return tuple(found)


GIVE_ACCOUNT_BACK: Final = "fsm-identity adopt plan --lost-accounts --reason …"
"""What gives a user whose account our database lost an account again, after a review."""


def mended_by(anomaly: Anomaly) -> str:
    """What a person does about it, for no worker writes to such a user or group."""
    if anomaly is Anomaly.LOST_ACCOUNT:
        return GIVE_ACCOUNT_BACK
    return "mend it in Keycloak's console; groups and their roles: fsm-identity realm apply"


def surplus(anomaly: Anomaly, values: Collection[str]) -> Irregularity:
    """Somebody has what nobody gave."""
    return Irregularity(anomaly, None, listed(values))


def listed(values: Collection[str]) -> str | None:
    return ", ".join(sorted(values)) or None
