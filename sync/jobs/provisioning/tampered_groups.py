"""Roles on groups of ours that the policy in force does not give: somebody put them there, or `realm apply` is yet
to follow a change of the mapping files. `provision` asks before it lets anybody join such a group.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync.domain.access import vocabulary
from sync.domain.access.group_roles import GroupRoles, roles_of_groups
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.provisioning.plan import refuse_tampered_groups
from sync.jobs.systems import Systems
from sync.store import mappings
from sync.views.mappings import policy_of


def refuse_extra_roles(systems: Systems, extra: Mapping[str, frozenset[str]]) -> None:
    """Raises Misconfigured where the policy before the one in force gave these roles: it goes on by itself once
    the realm has followed. Raises NeedsPerson for any other."""
    if not any(extra.values()):
        return
    before = _roles_before(systems)
    if all(roles <= _spelled(before.get(path, GroupRoles())) for path, roles in extra.items()):
        listed = "; ".join(f"{path} carries {', '.join(sorted(roles))}" for path, roles in sorted(extra.items()))
        raise Misconfigured(
            f"the realm has not followed the mapping files in force yet: {listed}; run fsm-identity realm apply",
            code=FailureCode.REALM_BEHIND,
        )
    refuse_tampered_groups(extra)


def _roles_before(systems: Systems) -> Mapping[str, GroupRoles]:
    if systems.policy_number is None:
        return {}
    with systems.db.read() as tx:
        adopted = mappings.numbered(tx, systems.policy_number - 1)
    return {} if adopted is None else roles_of_groups(policy_of(adopted))


def _spelled(roles: GroupRoles) -> frozenset[str]:
    return roles.realm_roles | {f"{vocabulary.FEATURES_CLIENT}/{feature}" for feature in roles.feature_roles}
