"""What a person asks for and is told at once: open work orders stop a deactivation, an unlinking and the way
out of a field-work profile before anything is stored (D1).

The early look is a courtesy. What counts is the gate the worker asks right before it withdraws anything.
"""

from __future__ import annotations

from mappings.policy import Policy
from sync.desk import Desk
from sync.domain.accounts.account import Account
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.provisioning.desired import works_in_the_field


def withdraws_technician(before: Account, after: Account, policy: Policy) -> bool:
    """True if the change takes the technician, or the profile in which the technician works, from the account."""
    if before.technician_id is None:
        return False
    profile = policy.profiles.get(after.profile)
    leaves = profile is not None and not works_in_the_field(after, profile)
    return after.technician_id != before.technician_id or (
        leaves and works_in_the_field(before, policy.profiles[before.profile])
    )


def open_work(desk: Desk, account: Account) -> tuple[OpenWorkOrder, ...]:
    """What the account's technician still has to do. Raises Transient if FSM cannot be asked."""
    if account.technician_id is None:
        return ()
    return tuple(desk.field_service.open_work_orders(account.technician_id))
