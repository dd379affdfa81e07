"""Taking the technician, or the field work, from somebody who stays: how the work-order gate shall treat it is
stored with the change (B4, D4), and called off by whatever gives the field work back.

The early look of a door (`open_work`) is a courtesy. What counts is the gate the worker asks right before it
withdraws anything.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from mappings.policy import Policy
from sync.desk import Desk
from sync.domain.access.granted import GrantedAccount
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import changed_fields
from sync.domain.deactivation.gate import GatePolicy, OpenWorkOrder
from sync.domain.deactivation.request import OpenDeactivation, TechnicianChange
from sync.domain.provisioning.desired import works_in_the_field
from sync.store.database.transactions import Tx
from sync.store.deactivation import deactivations
from sync.store.provisioning import work_state


def withdraws_technician(before: Account, after: Account, policy: Policy) -> bool:
    """True if the change takes the technician, or the profile in which the technician works, from the account."""
    if before.technician_id is None:
        return False
    return after.technician_id != before.technician_id or (
        _in_the_field(before, policy) and not _in_the_field(after, policy)
    )


def open_work(desk: Desk, account: Account, request: OpenDeactivation | None) -> tuple[OpenWorkOrder, ...]:
    """What the account's technician still has to do, and the one whom `request` takes from it. Raises Transient if
    FSM cannot be asked."""
    taken = None if request is None or request.change is None else request.change.technician_id
    technicians = {account.technician_id, taken} - {None}
    return tuple(
        order for each in sorted(map(str, technicians)) for order in desk.field_service.open_work_orders(each)
    )


def ask_gate(tx: Tx, policy: Policy, granted: GrantedAccount, gate: GatePolicy, now: datetime) -> bool:
    """Store with a change how the gate shall treat it, if it takes the technician; a wish that waits gives way to
    a stronger one alone, and a change of somebody who leaves goes with the deactivation. What changes nothing is
    such a wish too where the gate holds the account. Returns whether the gate has another one to obey now."""
    before, after = granted.before, granted.after
    if before is None or (after != before and _work(before, policy) == _work(after, policy)):
        return False
    waits = deactivations.open_for(tx, after.id)
    taken = TechnicianChange(None) if waits is None else waits.change
    if taken is None:
        return False
    if waits is not None and _gives_back(taken, before, after, policy):
        return deactivations.cancel(tx, waits.id, granted, now)
    if withdraws_technician(before, after, policy):
        taken = TechnicianChange(before.technician_id, changed_fields(before, after))
    elif after != before or (waits is None and not _is_held(tx, after)):
        return False
    obeyed = waits.policy if waits is not None else None if after != before else GatePolicy.HOLD
    if obeyed is not None and not gate.is_stronger_than(obeyed):
        return False
    if waits is not None:
        deactivations.cancel(tx, waits.id, granted, now)
    keep_wish(tx, policy, granted, gate, now, taken)
    return True


def keep_wish(
    tx: Tx,
    policy: Policy,
    granted: GrantedAccount,
    gate: GatePolicy,
    now: datetime,
    change: TechnicianChange | None = None,
) -> None:
    """Store how the gate shall treat a deactivation, or a `change` that takes the technician. A hold ends at its
    deadline (work_orders.toml). Raises Refused if a wish is open already."""
    lasts = timedelta(days=policy.work_orders.hold_deadline_days)
    deactivations.request(
        tx,
        granted,
        policy=gate,
        deadline=now + lasts if gate is GatePolicy.HOLD else None,
        after_deadline=policy.work_orders.after_deadline,
        now=now,
        change=change,
    )


def _is_held(tx: Tx, account: Account) -> bool:
    work = work_state.of_account(tx, account.id)
    return work is not None and bool(work.held_work_orders)


def _gives_back(taken: TechnicianChange, before: Account, after: Account, policy: Policy) -> bool:
    given = _work(before, policy) != _work(after, policy) and _in_the_field(after, policy)
    return given and taken.technician_id in {None, after.technician_id}


def _work(account: Account, policy: Policy) -> tuple[str | None, bool]:
    """As whom, and whether in the field."""
    return account.technician_id, _in_the_field(account, policy)


def _in_the_field(account: Account, policy: Policy) -> bool:
    profile = policy.profiles.get(account.profile)
    return profile is None or works_in_the_field(account, profile)
