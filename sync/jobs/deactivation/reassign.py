"""Moving all open work orders of one technician to another in the FSM system (D5); what waits for it, a held
deactivation or the list of stranded work orders, goes on in the same commit that says it is done.

What is about to be moved is on disk before the FSM system is told. After a crash the next worker moves what the
FSM system still shows there, and knows the rest as moved by where it is now: nothing is lost, each is told once.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sync.commands.waking import wake
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import Failure
from sync.domain.work.claimed import ClaimedReassignment
from sync.domain.work.ladder import Work, after
from sync.domain.work.lane import Lane
from sync.jobs.systems import Systems
from sync.jobs.work import circuits
from sync.jobs.work.field_service import WatchedFieldService
from sync.jobs.work.lease import keep_lease, terms
from sync.jobs.work.unforeseen import as_failure
from sync.ports.lease import kept
from sync.store.accounts import accounts
from sync.store.audit import trail
from sync.store.database.transactions import Tx
from sync.store.deactivation import deactivations, reassignments
from sync.store.deactivation.reassignments import Reassignment, ReassignmentClaim
from sync.store.provisioning import due


def reassign_next(systems: Systems) -> int:
    """Carry out one wish. Returns how many: 0, nobody has asked."""
    with systems.db.read() as tx:
        if not reassignments.any_due(tx, systems.clock.now()):
            return 0
    with systems.db.write() as tx:
        claim = reassignments.claim(tx, terms(systems))
    if claim is None:
        return 0
    try:
        with kept(partial(keep_lease, systems, claim)):
            moved = _move(systems, claim)
    except Exception as error:
        _failed(systems, claim, as_failure(error, reassignment=claim.reassignment.id))
        return 1
    if moved is not None:
        _done(systems, claim, moved)
    return 1


def _move(systems: Systems, claim: ReassignmentClaim) -> Sequence[OpenWorkOrder] | None:
    """What was moved, by this try or one before. None: somebody else is at it by now."""
    asked, fsm = claim.reassignment, WatchedFieldService(systems)
    before = {order.number: order for order in asked.found}
    if before:
        arrived = {order.number for order in fsm.open_work_orders(asked.to_technician_id)}
        before = {number: order for number, order in before.items() if number in arrived}
    found = {order.number: order for order in fsm.open_work_orders(asked.technician_id)}
    before = {number: order for number, order in before.items() if number not in found}
    with systems.db.write() as tx:
        about = tuple((before | found).values())
        if not reassignments.about_to_move(tx, claim, about):
            return None
    moved = {order.number: order for order in fsm.reassign(asked.technician_id, asked.to_technician_id)}
    return tuple(order for _, order in sorted((before | moved).items()))


def _done(systems: Systems, claim: ReassignmentClaim, moved: Sequence[OpenWorkOrder]) -> None:
    now = systems.clock.now()
    with systems.db.write() as tx:
        claimed = reassignments.done(tx, claim, moved, now)
        if claimed is None:
            return
        _goes_on(tx, claimed, claim.reassignment, moved, now)
    wake(systems, Lane.INTERACTIVE)


def _goes_on(
    tx: Tx, claimed: ClaimedReassignment, asked: Reassignment, moved: Sequence[OpenWorkOrder], now: datetime
) -> None:
    """All that was open is moved, so nothing of the technician needs another one any more."""
    leaving = accounts.by_technician(tx, asked.technician_id)
    trail.audit(
        tx,
        account_id=leaving.id if leaving else None,
        action=f"reassign work orders of {asked.technician_id} to {asked.to_technician_id}",
        changed={order.number: (asked.technician_id, asked.to_technician_id) for order in moved},
        by=asked.by,
        now=now,
    )
    deactivations.resolve_stranded(tx, {claimed: asked.technician_id}, now)
    if leaving is not None:
        due.look_again(tx, leaving.id, Lane.INTERACTIVE, now)


def _failed(systems: Systems, claim: ReassignmentClaim, failure: Failure) -> None:
    """Again later if that may help; a person is told of anything else."""
    now, attempts = systems.clock.now(), claim.reassignment.attempts
    with systems.db.write() as tx:
        probe_in = circuits.probe_in(systems, tx, failure, Lane.INTERACTIVE)
        then = after(failure, attempts, Work.REASSIGNMENT, random.random(), probe_in=probe_in)  # noqa: S311 - jitter
        if then.wait is None:
            if reassignments.failed(tx, claim, str(failure), now) is not None:
                _tell(tx, claim.reassignment, failure, now)
        else:
            reassignments.put_off(tx, claim, str(failure), now + then.wait, attempts + then.burns)


def _tell(tx: Tx, asked: Reassignment, failure: Failure, now: datetime) -> None:
    """Nobody may wait at the door any more: why nothing was moved stands in the timeline of the one who leaves."""
    leaving = accounts.by_technician(tx, asked.technician_id)
    trail.audit(
        tx,
        account_id=leaving.id if leaving else None,
        action=f"work orders of {asked.technician_id} were not moved to {asked.to_technician_id}",
        changed={"failure": (None, str(failure))},
        by=asked.by,
        now=now,
    )
