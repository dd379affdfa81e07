"""Letting go of a Keycloak user that was adopted: it leaves the groups of ours, which give access, then our mark
and the other attributes of ours go (G4). An act calls it, and so does an adoption refused after the mark."""

from __future__ import annotations

from sync.domain.access import vocabulary
from sync.domain.provisioning.change import Change, LeaveGroup, TakeRole
from sync.domain.provisioning.observed import Observed
from sync.jobs.systems import Systems
from sync.store.work.account_claims import Claim


def let_go(systems: Systems, account_id: str, observed: Observed) -> tuple[str, ...]:
    """While it still carries the mark; returns the groups it left. Its names and whether it is enabled stay."""
    groups = sorted(path for path in observed.groups if vocabulary.owns_group(path))
    roles = sorted(role for role in observed.roles if vocabulary.owns_role(role))
    changes: list[Change] = [*map(LeaveGroup, groups), *map(TakeRole, roles)]
    for change in changes:
        systems.accounts.apply(observed.idp_user_id, change)
    systems.adoption.release(observed.idp_user_id, account_id)
    return tuple(groups)


def take_off(systems: Systems, claim: Claim, idp_user_id: str) -> None:
    """`let_go` of a user that was marked for this account and not linked with it, if it carries the mark."""
    observed = systems.accounts.observe(idp_user_id, sessions=False)
    if observed is not None and observed.account_id == claim.account.id:
        let_go(systems, claim.account.id, observed)
