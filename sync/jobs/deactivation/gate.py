"""Asking the work-order gate: stop new assignments, read what is open, decide (D1-D4, rule: ask-the-gate).

Assignments are stopped before the work orders are read: one that comes in between is either seen here or
refused to the technician by the FSM system (D3). Only a stop of ours is ever undone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sync.domain.accounts.account import Account, Life
from sync.domain.deactivation.gate import GatePolicy, GateVerdict, OpenWorkOrder, decide, refuse_unknown
from sync.domain.provisioning.desired import does_field_work
from sync.domain.provisioning.observed import Observed
from sync.jobs.systems import Systems
from sync.jobs.work.field_service import WatchedFieldService
from sync.jobs.work.lease import lost
from sync.ports.lease import unkept
from sync.store.deactivation import assignment_stops, deactivations
from sync.store.work import lease_rows
from sync.store.work.account_claims import Claim


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """`work_orders` are those that were open when the gate decided."""

    verdict: GateVerdict
    work_orders: tuple[OpenWorkOrder, ...]


def ask(systems: Systems, claim: Claim, observed: Observed) -> GateAnswer:
    """Ask for every technician the person is about to lose. Raises Transient when FSM cannot be asked (D2) or the
    lease is lost, and NeedsPerson for a link to a record that the FSM system does not have, unless forced."""
    request = claim.deactivation
    policy = request.policy if request is not None else _policy_of_before(systems, claim.account)
    open_now: list[OpenWorkOrder] = []
    for technician_id in _technicians(systems, claim.account, observed):
        known = _stop_assignments(systems, claim, technician_id)
        if not known and technician_id == claim.account.technician_id:
            refuse_unknown(technician_id, policy)
        open_now.extend(WatchedFieldService(systems).open_work_orders(technician_id))
    verdict = decide(
        open_now,
        policy,
        now=systems.clock.now(),
        deadline=request.deadline if request is not None else None,
        after_deadline=request.after_deadline if request is not None else "person",
    )
    return GateAnswer(verdict, tuple(open_now))


def _stop_assignments(systems: Systems, claim: Claim, technician_id: str) -> bool:
    """Stop, remembering that it was us. A technician the FSM system had stopped already stays its business. False:
    there is no such technician record."""
    technician = WatchedFieldService(systems).technician(technician_id)
    if technician is None:
        return False
    if technician.assignable:
        _stop_as_ours(systems, technician_id, claim.account.id)
    return True


def _stop_as_ours(systems: Systems, technician_id: str, account_id: str) -> None:
    """By the id of the account, which outlives each request and each try.

    Written down before the FSM system is told, and once more after: if we were so slow that somebody else has
    allowed assignments and forgotten the stop meanwhile, this late one must not stay without its owner."""
    with systems.db.write() as tx:
        assignment_stops.remember(tx, technician_id, account_id, systems.clock.now())
    WatchedFieldService(systems).stop_assignments(technician_id, account_id)
    with systems.db.write() as tx:
        assignment_stops.remember(tx, technician_id, account_id, systems.clock.now())


def stopped(systems: Systems, accounts: Iterable[Account]) -> frozenset[str]:
    """The technicians of these accounts whom we stopped although they do field work: `release` lets them work."""
    working = {
        account.technician_id
        for account in accounts
        if account.technician_id is not None and does_field_work(account, systems.policy)
    }
    if not working:
        return frozenset()
    with systems.db.read() as tx:
        return assignment_stops.ours(tx, working)


def left_behind(systems: Systems, account: Account) -> frozenset[str]:
    """The technicians whom this account was, as our stops tell, and for whom it does no field work now."""
    with systems.db.read() as tx:
        stopped_by_us = assignment_stops.of_account(tx, account.id)
    working = account.technician_id if does_field_work(account, systems.policy) else None
    return stopped_by_us - {working}


def release(systems: Systems, claim: Claim) -> None:
    """Allow assignments again if we stopped them and the account does field work as that technician.

    Raises Transient if the lease was lost on the way: somebody else may have stopped them since. Then they are
    stopped again, which is the safe side, and the look that follows a lost lease decides.
    """
    account = claim.account
    if account.technician_id is None or not stopped(systems, [account]):
        return
    with systems.db.read() as tx:
        stopped_for = assignment_stops.whose(tx, account.technician_id) or account.id
    WatchedFieldService(systems).allow_assignments(account.technician_id, stopped_for)
    with systems.db.write() as tx:
        claimed = lease_rows.still_claimed(tx, claim.lease)
        if claimed is not None:
            assignment_stops.forget(tx, claimed, account.technician_id)
    if claimed is None:
        with unkept():
            _stop_as_ours(systems, account.technician_id, account.id)
        raise lost()


def _policy_of_before(systems: Systems, account: Account) -> GatePolicy:
    """Without a request nobody loses access with open work orders (D1), except who had lost it by force: whoever
    gives it back behind our back, by a late request or in Keycloak's console, does not undo that order."""
    if account.life is Life.ACTIVE:
        return GatePolicy.HOLD
    with systems.db.read() as tx:
        last = deactivations.last_completed(tx, account.id)
    return GatePolicy.FORCE if last is GatePolicy.FORCE else GatePolicy.HOLD


def _technicians(systems: Systems, account: Account, observed: Observed) -> list[str]:
    """What Keycloak says the person is, and what the account says unless the person goes on working as that."""
    wanted = None if does_field_work(account, systems.policy) else account.technician_id
    return sorted({each for each in (observed.technician_id, wanted) if each is not None})
