"""Approving or rejecting a run that the mass-change guard holds (E7), whatever its kind: `sync.commands.run_kinds`
adds what each kind of run asks for.

An approval names the plan's fingerprint (rule: approve-a-fingerprint): what somebody looked at is what goes on.
Afterwards only rows whose accounts were changed since the review are refused, each by itself, when it is applied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sync.commands.access import authority
from sync.commands.runs.existing import existing_run
from sync.commands.runs.guard import give_back
from sync.desk import Desk
from sync.domain.access.approval import against_approval
from sync.domain.access.cause import Cause
from sync.domain.access.granted import Granted
from sync.domain.access.permissions import Permission
from sync.domain.errors import NotAllowed, Problem, Refused
from sync.domain.runs.fingerprint import SHORTEST, is_named
from sync.store.audit import trail
from sync.store.database.transactions import Tx
from sync.store.runs import runs
from sync.store.runs.runs import Run

Check: TypeAlias = Callable[[Tx, Desk, Run], None]
"""Raises Refused where the run may not go on."""


def release(tx: Tx, desk: Desk, run_id: str, by: Cause, fingerprint: str, check: Check) -> Run:
    """Hand a held run to the workers. Raises Refused if it is not held (any more), if the fingerprint is not its
    own, and what `check` raises; NotAllowed for who may not, or has confirmed it."""
    runs.confirm_one_at_a_time(tx)
    run = _held(tx, run_id)
    _refuse_other_plan(run, fingerprint)
    granted = authority.allow(tx, desk.policy, by, Permission.APPROVE_RUN, desk.clock.now())
    refused = against_approval(run.cause.caller, by.caller, desk.policy.guard.approval)
    if refused is not None:
        raise NotAllowed([refused])
    check(tx, desk, run)
    runs.approve(tx, run, granted, desk.clock.now())
    _audit(tx, run, f"approve {run.title}", by, desk)
    return existing_run(tx, run.id)


def end(tx: Tx, desk: Desk, run_id: str, granted: Granted) -> Run:
    """End a held run. Raises Refused if it is not held (any more)."""
    run = _held(tx, run_id)
    runs.cancel(tx, run_id, granted, desk.clock.now())
    give_back(tx, run)
    _audit(tx, run, f"reject {run.title}", granted.by, desk)
    return existing_run(tx, run_id)


def _held(tx: Tx, run_id: str) -> Run:
    """The run, locked until the transaction ends: of two approvals at once the second finds it approved."""
    run = existing_run(tx, run_id)
    if run.state == "held":
        return run
    if run.approval is not None:
        reason = f"was approved by {run.approval.name} already and is {run.state}"
    else:
        reason = f"is {run.state}, not held"
    raise Refused([Problem("run", reason, "see fsm-identity runs show")])


def _refuse_other_plan(run: Run, fingerprint: str) -> None:
    if len(fingerprint.strip()) < SHORTEST:
        raise Refused([Problem("plan", "is too short", f"name at least {SHORTEST} characters of it")])
    if not is_named(run.fingerprint, fingerprint):
        reason = f"is not {fingerprint}, it is {run.fingerprint[:16]}"
        raise Refused([Problem("plan", reason, f"look at it again: fsm-identity runs show {run.id[-8:]}")])


def _audit(tx: Tx, run: Run, action: str, by: Cause, desk: Desk) -> None:
    trail.audit(
        tx,
        account_id=None,
        action=action,
        changed={"run": (None, run.id), "fingerprint": (None, run.fingerprint)},
        by=by,
        now=desk.clock.now(),
        correlation_id=run.id,
    )
