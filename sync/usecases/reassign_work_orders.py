"""Moving all open work orders of one technician to another, in one step; a deactivation that waits for it
completes right after (D5)."""

from __future__ import annotations

from collections.abc import Sequence

from sync.domain.account_change import Actor
from sync.domain.assignability import reasons_against
from sync.domain.errors import Problem, Refused
from sync.domain.gate import OpenWorkOrder
from sync.domain.lane import Lane
from sync.store import accounts, deactivations, history, provisioning
from sync.usecases.change_account import require_reason
from sync.usecases.command import wake
from sync.usecases.link_technician import require_technician
from sync.usecases.site import Site


def reassign_work_orders(site: Site, technician_id: str, to: str, by: Actor) -> Sequence[OpenWorkOrder]:
    """Answers what was moved. Raises Refused without a reason, and where the other technician cannot be given
    work: then it says why.

    All that is open is moved, so nothing of the technician needs another one afterwards; also when an earlier try
    died after it had moved them.
    """
    require_reason(by)
    if technician_id == to:
        raise Refused([Problem("to", f"{to} has these work orders already", "name another technician")])
    require_technician(site, technician_id)
    taker = require_technician(site, to)
    with site.db.read() as tx:
        account = accounts.by_technician(tx, to)
    reasons = reasons_against(account, site.policy, fsm_assignable=taker.assignable)
    if reasons:
        raise Refused([Problem("to", f"{taker.name} ({to}) cannot be given work: {'; '.join(reasons)}")])
    moved = site.field_service.reassign(technician_id, to)
    now = site.clock.now()
    with site.db.write() as tx:
        leaving = accounts.by_technician(tx, technician_id)
        history.audit(
            tx,
            account_id=leaving.id if leaving else None,
            action=f"reassign work orders of {technician_id} to {to}",
            changed={order.number: (technician_id, to) for order in moved},
            by=by,
            now=now,
        )
        deactivations.resolve_stranded(tx, [technician_id], now)
        if leaving is not None:
            provisioning.look_again(tx, leaving.id, Lane.INTERACTIVE, now)
    wake(site, Lane.INTERACTIVE)
    return moved
