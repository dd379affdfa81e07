"""Moving all open work orders of one technician to another, in one step; a deactivation that waits for it
completes right after (D5)."""

from __future__ import annotations

from collections.abc import Sequence

from sync.commands.accounts.change import require_reason
from sync.commands.accounts.technician import require_technician
from sync.commands.waking import wake
from sync.desk import Desk
from sync.domain.accounts.assignability import reasons_against
from sync.domain.accounts.change import Actor
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import Problem, Refused
from sync.domain.work.lane import Lane
from sync.store import audit
from sync.store.accounts import accounts
from sync.store.deactivation import deactivations
from sync.store.provisioning import due


def reassign_work_orders(desk: Desk, technician_id: str, to: str, by: Actor) -> Sequence[OpenWorkOrder]:
    """Answers what was moved. Raises Refused without a reason, and where the other technician cannot be given
    work: then it says why.

    All that is open is moved, so nothing of the technician needs another one afterwards; also when an earlier try
    died after it had moved them.
    """
    require_reason(by)
    if technician_id == to:
        raise Refused([Problem("to", f"{to} has these work orders already", "name another technician")])
    require_technician(desk, technician_id)
    taker = require_technician(desk, to)
    with desk.db.read() as tx:
        account = accounts.by_technician(tx, to)
    reasons = reasons_against(account, desk.policy, fsm_assignable=taker.assignable)
    if reasons:
        raise Refused([Problem("to", f"{taker.name} ({to}) cannot be given work: {'; '.join(reasons)}")])
    moved = desk.field_service.reassign(technician_id, to)
    now = desk.clock.now()
    with desk.db.write() as tx:
        leaving = accounts.by_technician(tx, technician_id)
        audit.audit(
            tx,
            account_id=leaving.id if leaving else None,
            action=f"reassign work orders of {technician_id} to {to}",
            changed={order.number: (technician_id, to) for order in moved},
            by=by,
            now=now,
        )
        deactivations.resolve_stranded(tx, [technician_id], now)
        if leaving is not None:
            due.look_again(tx, leaving.id, Lane.INTERACTIVE, now)
    wake(desk, Lane.INTERACTIVE)
    return moved
