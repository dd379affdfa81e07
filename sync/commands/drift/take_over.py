"""What somebody changed in Keycloak becomes what is wanted, through the same rules as any change of an account
(G4): on a person's word, or by the job that does what drift.toml says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mappings.attributes import BUILT_IN
from mappings.policy import Policy
from sync.commands.accounts.change import change
from sync.domain.access.cause import Cause
from sync.domain.accounts.attribute_values import stated
from sync.domain.accounts.change import AccountChange, with_attributes
from sync.domain.accounts.spelling import only_respelled
from sync.domain.drift.kinds import Kind
from sync.domain.errors import Problem, Refused
from sync.domain.provisioning.aspect import Aspect
from sync.domain.work.lane import Lane
from sync.store.database.transactions import Tx
from sync.store.drift.findings import Finding

TAKEN_OVER: Mapping[Kind, str] = {
    Aspect.ATTRIBUTES: "attributes",
    **{Aspect(each.drift_name): each.key for each in BUILT_IN if each.drift and each.key != "technician_id"},
}
"""What is a field of an account. A technician is linked by a command, which asks the FSM system first."""

MAY_BE_NOTHING = frozenset({Aspect.BRANCH, Aspect.TEAM})


def take_over(tx: Tx, policy: Policy, finding: Finding, by: Cause, now: datetime) -> None:
    """Want of the account what was found. Raises Refused where that is no single value, or breaks a rule."""
    field = TAKEN_OVER[finding.attribute]
    if finding.attribute is Aspect.ATTRIBUTES:
        found = stated(policy, {finding.key: finding.found or ""})
        attributes = AccountChange(**with_attributes(found))
        change(tx, policy, str(finding.subject.account_id), attributes, by, now, lane=Lane.BULK)
        return
    if only_respelled(finding.wanted, finding.found):
        raise Refused([Problem(field, "is wanted already, in another spelling", "have it repaired")])
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
