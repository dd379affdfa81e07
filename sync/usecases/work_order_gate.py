"""Asking the work-order gate: stop new assignments, read what is open, decide (D1-D4, DESIGN rule 5).

Assignments are stopped before the work orders are read: one that comes in between is either seen here or
refused to the technician by the FSM system (D3). Only a stop of ours is ever undone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sync.domain.account import Account
from sync.domain.desired import does_field_work
from sync.domain.gate import GatePolicy, OpenWorkOrder, Verdict, decide
from sync.domain.observed import Observed
from sync.store import assignment_stops
from sync.store.provisioning import Claim
from sync.usecases.fsm_circuit import WatchedFieldService
from sync.usecases.site import Site


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """`work_orders` are those that were open when the gate decided."""

    verdict: Verdict
    work_orders: tuple[OpenWorkOrder, ...]


def ask(site: Site, claim: Claim, observed: Observed) -> GateAnswer:
    """Ask for every technician the person is about to lose. Raises Transient when FSM cannot be asked (D2)."""
    open_now: list[OpenWorkOrder] = []
    for technician_id in _technicians(site, claim.account, observed):
        stop_assignments(site, technician_id, claim.account.id)
        open_now.extend(WatchedFieldService(site).open_work_orders(technician_id))
    request = claim.deactivation
    verdict = decide(
        open_now,
        request.policy if request is not None else GatePolicy.HOLD,
        now=site.clock.now(),
        deadline=request.deadline if request is not None else None,
        after_deadline=request.after_deadline if request is not None else "person",
    )
    return GateAnswer(verdict, tuple(open_now))


def stop_assignments(site: Site, technician_id: str, account_id: str) -> None:
    """Stop, remembering that it was us. A technician the FSM system had stopped already stays its business."""
    field_service = WatchedFieldService(site)
    technician = field_service.technician(technician_id)
    if technician is None or not technician.assignable:
        return
    with site.db.write() as tx:
        assignment_stops.remember(tx, technician_id, account_id, site.clock.now())
    field_service.stop_assignments(technician_id)


def stopped(site: Site, accounts: Iterable[Account]) -> frozenset[str]:
    """The technicians of these accounts whom we stopped although they do field work: `release` lets them work."""
    working = {
        account.technician_id
        for account in accounts
        if account.technician_id is not None and does_field_work(account, site.policy)
    }
    if not working:
        return frozenset()
    with site.db.read() as tx:
        return assignment_stops.ours(tx, working)


def release(site: Site, account: Account) -> None:
    """Allow assignments again if we stopped them and the account does field work as that technician."""
    if account.technician_id is None or not stopped(site, [account]):
        return
    WatchedFieldService(site).allow_assignments(account.technician_id)
    with site.db.write() as tx:
        assignment_stops.forget(tx, account.technician_id)


def _technicians(site: Site, account: Account, observed: Observed) -> list[str]:
    """What Keycloak says the person is, and what the account says unless the person goes on working as that."""
    wanted = None if does_field_work(account, site.policy) else account.technician_id
    return sorted({each for each in (observed.technician_id, wanted) if each is not None})
