"""Who can be given work orders, and why not (B3). Pure."""

from __future__ import annotations

from mappings.policy import Policy
from sync.domain.accounts.account import Account, Life
from sync.domain.provisioning.desired import works_in_the_field


def reasons_against(account: Account | None, policy: Policy, *, fsm_assignable: bool) -> tuple[str, ...]:
    """Every reason why the technician with this account cannot be given work; empty: assignable.

    `account` None: no account is linked to the technician record.
    """
    if account is None:
        return ("no account is linked",)
    reasons = []
    if account.life is Life.INACTIVE:
        reasons.append("the account is inactive or being deactivated")
    if account.life is Life.EXPECTED:
        reasons.append("the first day of the account is to come")
    if not works_in_the_field(account, policy.profiles[account.profile]):
        reasons.append(f"profile {policy.profiles[account.profile].title} is not for field work")
    if account.idp_user_id is None:
        reasons.append("the account is not in Keycloak yet")
    if not fsm_assignable:
        reasons.append("the FSM system has stopped assignments")
    return tuple(reasons)
