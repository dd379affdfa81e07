"""What a person asks for and is told at once: open work orders stop a deactivation, an unlinking and the way
out of a field-work profile before anything is stored (D1).

The early look is a courtesy. What counts is the gate the worker asks right before it withdraws anything.
"""

from __future__ import annotations

from mappings.policy import Policy
from sync.commands.accounts.change import change, deactivate, existing
from sync.commands.perform import perform
from sync.desk import Desk
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange, Actor
from sync.domain.deactivation.gate import GatePolicy, OpenWorkOrder, WorkOrdersOpen
from sync.domain.provisioning.desired import works_in_the_field
from sync.domain.work.lane import Lane


def deactivate_account(desk: Desk, account_id: str, gate: GatePolicy, by: Actor) -> tuple[OpenWorkOrder, ...]:
    """Store the wish and wake the workers. Answers the work orders that are open now.

    Raises WorkOrdersOpen under the policy refuse, Transient if FSM cannot be asked (D2); nothing is stored then.
    """
    with desk.db.read() as tx:
        account = existing(tx, account_id)
    work_orders = open_work(desk, account)
    if work_orders and gate is GatePolicy.REFUSE:
        raise WorkOrdersOpen(account.full_name, work_orders)
    perform(
        desk,
        lambda tx: deactivate(tx, desk.policy, account_id, gate, by, desk.clock.now()),
        wakes=Lane.INTERACTIVE,
    )
    return work_orders


def change_account(desk: Desk, account_id: str, wanted: AccountChange, by: Actor) -> Account:
    """Store the change and wake the workers.

    Raises Refused, WorkOrdersOpen or Transient; nothing is stored then.
    """
    with desk.db.read() as tx:
        before = existing(tx, account_id)
    if withdraws_technician(before, wanted.applied_to(before), desk.policy):
        work_orders = open_work(desk, before)
        if work_orders:
            raise WorkOrdersOpen(before.full_name, work_orders)
    return perform(
        desk,
        lambda tx: change(tx, desk.policy, account_id, wanted, by, desk.clock.now()),
        wakes=Lane.INTERACTIVE,
    )


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
