"""Approving or rejecting a run that the mass-change guard holds (E7). Called by `fsm-identity runs`.

An approval names the plan's fingerprint (DESIGN rule 7): what somebody looked at is what goes on. Afterwards only
rows whose accounts were changed since the review are refused, each by itself, when it is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from sync.commands.accounts.change import require_reason
from sync.commands.imports.confirm import refuse_same_people
from sync.commands.mappings import adopt
from sync.commands.perform import perform
from sync.desk import Desk
from sync.domain.accounts.change import Actor
from sync.domain.errors import Problem, Refused
from sync.domain.runs.fingerprint import SHORTEST, is_named
from sync.domain.work.lane import Lane
from sync.store import audit
from sync.store.database.tables import RunKind
from sync.store.database.transactions import Tx
from sync.store.drift import findings
from sync.store.runs import runs
from sync.store.runs.runs import Run

Check: TypeAlias = Callable[[Tx, Desk, Run], None]


def approve(desk: Desk, run_id: str, by: Actor, fingerprint: str) -> Run:
    """Hand a held run to the workers.

    Raises Refused without a reason, if it is not held (any more), if the fingerprint is not its own, or if the
    policy it was planned with is no longer in force.
    """
    require_reason(by)

    def release(tx: Tx) -> Run:
        runs.confirm_one_at_a_time(tx)
        run = _held(tx, run_id)
        _refuse_other_plan(run, fingerprint)
        CHECKS[run.kind](tx, desk, run)
        runs.approve(tx, run.id, by.name, by.reason, desk.clock.now())
        _audit(tx, run, f"approve {run.title}", by, desk)
        return _existing(tx, run.id)

    with desk.db.read() as tx:
        run = _existing(tx, run_id)
    if run.kind == "mappings":
        return adopt.approve_held(desk, run, by, release)
    return perform(desk, release, wakes=Lane.BULK)


def reject(desk: Desk, run_id: str, by: Actor) -> Run:
    """End a held run; the drift that it was to repair is open again. Raises Refused without a reason, or if it is
    not held (any more)."""
    require_reason(by)
    with desk.db.write() as tx:
        run = _held(tx, run_id)
        now = desk.clock.now()
        runs.end(tx, run_id, "cancelled", now)
        if run.kind == "repair":
            findings.take_back(tx, run.id, run.created_at, by.name, by.reason, now)
        _audit(tx, run, f"reject {run.title}", by, desk)
        return _existing(tx, run_id)


def _held(tx: Tx, run_id: str) -> Run:
    """The run, locked until the transaction ends: of two approvals at once the second finds it approved."""
    run = _existing(tx, run_id)
    if run.state == "held":
        return run
    if run.approved_by is not None:
        reason = f"was approved by {run.approved_by} already and is {run.state}"
    else:
        reason = f"is {run.state}, not held"
    raise Refused([Problem("run", reason, "see fsm-identity runs show")])


def _refuse_other_plan(run: Run, fingerprint: str) -> None:
    if len(fingerprint.strip()) < SHORTEST:
        raise Refused([Problem("plan", "is too short", f"name at least {SHORTEST} signs of it")])
    if not is_named(run.fingerprint, fingerprint):
        reason = f"is not {fingerprint}, it is {run.fingerprint[:16]}"
        raise Refused([Problem("plan", reason, f"look at it again: fsm-identity runs show {run.id[-8:]}")])


def _check_import(tx: Tx, desk: Desk, run: Run) -> None:
    if run.options.get("policy") != desk.policy.fingerprint:
        remedy = "reject it and review the file again"
        raise Refused([Problem("run", "the mapping files have changed since the review", remedy)])
    refuse_same_people(runs.same_people(tx, run.id))


def _nothing_more(tx: Tx, desk: Desk, run: Run) -> None:
    """Each row is pinned to the version of its account, or what is to be checked is checked elsewhere."""


CHECKS: Final[Mapping[RunKind, Check]] = {
    "import": _check_import,
    "mappings": _nothing_more,
    "repair": _nothing_more,
    "adoption": _nothing_more,
}


def _existing(tx: Tx, run_id: str) -> Run:
    run = runs.get(tx, run_id)
    if run is None:
        raise Refused([Problem("run", f"there is no run {run_id}", "see fsm-identity runs list")])
    return run


def _audit(tx: Tx, run: Run, action: str, by: Actor, desk: Desk) -> None:
    audit.audit(
        tx,
        account_id=None,
        action=action,
        changed={"run": (None, run.id), "fingerprint": (None, run.fingerprint)},
        by=by,
        now=desk.clock.now(),
        correlation_id=run.id,
    )
