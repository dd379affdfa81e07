"""Commands that want an account inactive, or active again (D4, D7); the gate decides when, in a worker."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mappings.policy import Policy
from sync.commands.access import administrators, authority
from sync.commands.accounts import by_hand
from sync.commands.accounts.change import existing, refuse_problems, write_down
from sync.commands.accounts.withdrawal import keep_wish, open_work
from sync.commands.perform import perform
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.accounts.account import Account, Life
from sync.domain.dates import ended, life_of
from sync.domain.deactivation.gate import GatePolicy, OpenWorkOrder, WorkOrdersOpen
from sync.domain.deactivation.request import OpenDeactivation
from sync.domain.drift.kinds import NO_ACCESS
from sync.domain.errors import NotFound, Problem, Refused
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.deactivation import deactivations
from sync.store.drift import findings
from sync.store.provisioning import due


def deactivate(
    tx: Tx,
    policy: Policy,
    account_id: str,
    gate: GatePolicy,
    by: Cause,
    now: datetime,
    *,
    lane: Lane = Lane.INTERACTIVE,
    version: int | None = None,
) -> Account:
    """Want the account inactive; the gate decides when (D4). One that waits gives way to a stronger wish alone:
    Refused is any other. A change that takes the technician goes on with the deactivation, by the stronger of the
    two wishes. `version` is the wanted one that was looked at; raises Outdated if it is another one by now.

    The hold's deadline and what follows it come from work_orders.toml.
    """
    locked = administrators.lock(tx, policy, [account_id])
    before = existing(tx, account_id, version)
    after = replace(before, life=Life.INACTIVE)
    granted = authority.allow_account(tx, policy, by, Permission.DEACTIVATE, before, after, now)
    open_request = deactivations.open_for(tx, account_id)
    _refuse_unless_stronger(before, open_request, gate)
    leaves = open_request is not None and open_request.change is None
    if not leaves and before.life is Life.INACTIVE:
        raise Refused([Problem("", f"{before.username} is inactive already", "nothing is left to do")])
    administrators.keep_one(tx, policy, before, after, locked)
    if open_request is not None:
        deactivations.cancel(tx, open_request.id, granted, now)
        gate = gate if gate.is_stronger_than(open_request.policy) else open_request.policy
    keep_wish(tx, policy, granted, gate, now)
    accounts.update(tx, granted)
    write_down(tx, before, after, f"deactivate ({gate.value})", by, now)
    due.mark_due(tx, account_id, lane, now)
    return after


def reactivate(
    tx: Tx, policy: Policy, account_id: str, by: Cause, now: datetime, *, version: int | None = None
) -> Account:
    """Want the account active again, with everything it had that is still valid (D7); also calls off a
    deactivation that is held, and no user stays switched off or gone because somebody accepted that (G4). With a
    first day to come it is open from then on. Raises Refused if the account was not inactive, if its last day is
    over, or if it breaks a rule of today; Outdated like `deactivate`."""
    before = existing(tx, account_id, version)
    after = replace(before, life=life_of(before, policy, now))
    granted = authority.allow_account(tx, policy, by, Permission.REACTIVATE, before, after, now)
    if before.life is not Life.INACTIVE:
        begins = f", from {before.valid_from}" if before.life is Life.EXPECTED else ""
        raise Refused([Problem("", f"{before.username} is active already{begins}", "nothing is left to do")])
    over = tuple(ended(after, policy, now))
    if over:
        raise Refused(over)
    refuse_problems(after, policy, now=now, before=before)
    open_request = deactivations.open_for(tx, account_id)
    if open_request is not None and open_request.change is None:
        deactivations.cancel(tx, open_request.id, granted, now)
    accounts.update(tx, granted)
    findings.end_accepted(tx, granted, NO_ACCESS, now)
    write_down(tx, before, after, "reactivate", by, now)
    due.mark_due(tx, account_id, Lane.INTERACTIVE, now)
    return after


def deactivate_account(
    desk: Desk, account_id: str, gate: GatePolicy, by: Cause, *, version: int | None = None
) -> tuple[OpenWorkOrder, ...]:
    """Store the wish and wake the workers. Returns the work orders that are open now.

    Raises Outdated like `deactivate`, Refused, WorkOrdersOpen under the policy refuse, Transient if FSM cannot be
    asked (D2); nothing is stored then.
    """
    with desk.db.read() as tx:
        account = existing(tx, account_id, version)
        open_request = deactivations.open_for(tx, account_id)
    _refuse_unless_stronger(account, open_request, gate)
    work_orders = open_work(desk, account, open_request)
    if work_orders and gate is GatePolicy.REFUSE:
        raise WorkOrdersOpen(account.full_name, work_orders)

    def command(tx: Tx) -> None:
        now, was = desk.clock.now(), accounts.peek(tx, account_id)
        leaver = deactivate(tx, desk.policy, account_id, gate, by, now, version=version)
        by_hand.count(tx, desk.policy, was, leaver, by, now)

    perform(desk, command, wakes=Lane.INTERACTIVE)
    return work_orders


def _refuse_unless_stronger(account: Account, waits: OpenDeactivation | None, gate: GatePolicy) -> None:
    if waits is None or waits.change is not None or gate.is_stronger_than(waits.policy):
        return
    already = f"{account.username} is being deactivated already ({waits.policy.value})"
    raise Refused([Problem("", already, "see account show; account reactivate calls it off")])


def reactivate_account(desk: Desk, account_id: str, by: Cause, *, version: int | None = None) -> Account:
    """Store the wish and wake the workers. Raises Refused as `reactivate`."""

    def command(tx: Tx) -> Account:
        now, was = desk.clock.now(), accounts.peek(tx, account_id)
        active = reactivate(tx, desk.policy, account_id, by, now, version=version)
        by_hand.count(tx, desk.policy, was, active, by, now)
        return active

    return perform(desk, command, wakes=Lane.INTERACTIVE)


def withdraw_deactivation(desk: Desk, account_id: str, by: Cause, *, version: int | None = None) -> Account:
    """Call off what is not done yet: `reactivate_account`, but only for somebody who waits to leave. Raises
    NotFound where nobody does, else like it."""

    def command(tx: Tx) -> Account:
        now, was = desk.clock.now(), existing(tx, account_id, version)
        request = deactivations.open_for(tx, account_id)
        if request is None or request.change is not None:
            reason = f"{was.username} is not about to be deactivated"
            raise NotFound([Problem("deactivation", reason, "whoever is inactive is reactivated")])
        active = reactivate(tx, desk.policy, account_id, by, now)
        by_hand.count(tx, desk.policy, was, active, by, now)
        return active

    return perform(desk, command, wakes=Lane.INTERACTIVE)
