"""Accepting drift: what somebody changed in Keycloak becomes what is wanted, through the same rules as any change
of an account (G4). Used where drift.toml says so and where a person does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mappings.policy import Policy
from sync.domain.account_change import AccountChange, Actor
from sync.domain.drift import Attribute
from sync.domain.errors import Problem, Refused
from sync.domain.lane import Lane
from sync.store.database import Tx
from sync.store.drift import Finding
from sync.usecases.change_account import change

TAKEN_OVER: Mapping[Attribute, str] = {
    Attribute.USERNAME: "username",
    Attribute.EMAIL: "email",
    Attribute.GIVEN_NAME: "given_name",
    Attribute.FAMILY_NAME: "family_name",
    Attribute.PROFILE: "profile",
    Attribute.BRANCH: "branch",
    Attribute.TEAM: "team",
    Attribute.DATA_ACCESS: "data_access",
}
"""Attributes that are fields of an account."""

MAY_BE_NOTHING = frozenset({Attribute.BRANCH, Attribute.TEAM})


def take_over(tx: Tx, policy: Policy, finding: Finding, by: Actor, now: datetime) -> None:
    """Want of the account what was found. Raises Refused where that is no single value, or breaks a rule."""
    field = TAKEN_OVER[finding.attribute]
    several = finding.found is not None and ", " in finding.found and field in {"profile", *MAY_BE_NOTHING}
    if several or (finding.found is None and finding.attribute not in MAY_BE_NOTHING):
        raise Refused(
            [
                Problem(
                    field,
                    f"{finding.found or 'nothing'}, as Keycloak says of {finding.subject.who}, cannot be wanted",
                    "have it repaired, or change the account",
                )
            ]
        )
    wanted: dict[str, Any] = {field: finding.found}
    change(tx, policy, str(finding.subject.account_id), AccountChange(**wanted), by, now, lane=Lane.BULK)
