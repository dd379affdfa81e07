"""Asking that all open work orders of one technician go to another (D5). A worker moves them in the FSM system; a
deactivation that waits for it completes right after."""

from __future__ import annotations

from sync.commands.access import authority
from sync.commands.accounts.technician_record import require_technician
from sync.commands.perform import perform
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.accounts.assignability import reasons_against
from sync.domain.errors import Problem, Refused
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.deactivation import reassignments
from sync.store.deactivation.reassignments import Reassignment


def reassign_work_orders(desk: Desk, technician_id: str, to: str, by: Cause) -> Reassignment:
    """Store the wish. Raises Refused without a reason, and where the other technician cannot be given work: then
    it says why. The FSM system is asked before the transaction, and again when they are moved; the accounts are
    judged as they are under their locks.

    Both accounts have to be the caller's to touch. Where no account knows whose work it is, it may be another
    branch's: that takes the whole company. Raises NotAllowed."""
    authority.require_reason(by)
    if technician_id == to:
        raise Refused([Problem("to", f"{to} has these work orders already", "name another technician")])
    require_technician(desk, technician_id)
    taker = require_technician(desk, to)

    def command(tx: Tx) -> Reassignment:
        now = desk.clock.now()
        known = accounts.of_technicians(tx, [technician_id, to])
        giver, account = known.get(technician_id), known.get(to)
        reasons = reasons_against(account, desk.policy, fsm_assignable=taker.assignable)
        if reasons or account is None:
            raise Refused([Problem("to", f"{taker.name} ({to}) cannot be given work: {'; '.join(reasons)}")])
        if giver is None:
            authority.allow(tx, desk.policy, by, Permission.REASSIGN_UNLINKED_WORK, now)
        else:
            authority.allow_account(tx, desk.policy, by, Permission.REASSIGN_WORK, giver, giver, now)
        granted = authority.allow_account(tx, desk.policy, by, Permission.REASSIGN_WORK, account, account, now)
        branch = account.branch if giver is not None and giver.branch == account.branch else None
        return reassignments.ask(tx, granted, technician_id, to, now, branch=branch)

    return perform(desk, command, wakes=Lane.INTERACTIVE)
