"""What approving and rejecting a held run means for each kind of run: the one place that knows all kinds."""

from __future__ import annotations

from sync.commands.access import authority
from sync.commands.imports.confirm import check_held_import
from sync.commands.mappings.adopt import approve_held
from sync.commands.perform import perform
from sync.commands.runs.approval import Check, end, release
from sync.commands.runs.existing import existing_run
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.database.tables import RunKind
from sync.store.database.transactions import Tx
from sync.store.drift import findings
from sync.store.runs.runs import Run


def approve(desk: Desk, run_id: str, by: Cause, fingerprint: str) -> Run:
    """Hand a held run to the workers.

    Raises Refused without a reason, if it is not held (any more), if the fingerprint is not its own, or if the
    policy it was planned with is no longer in force.
    """
    authority.require_reason(by)
    with desk.db.read() as tx:
        run = existing_run(tx, run_id)
    check = _check_of(run.kind)

    def released(tx: Tx) -> Run:
        return release(tx, desk, run_id, by, fingerprint, check)

    if run.kind == "mappings":
        return approve_held(desk, run, by, released)
    return perform(desk, released, wakes=Lane.BULK)


def reject(desk: Desk, run_id: str, by: Cause) -> Run:
    """End a held run; the drift that it was to repair is open again. Raises Refused without a reason, or if it is
    not held (any more)."""

    def rejected(tx: Tx) -> Run:
        now = desk.clock.now()
        granted = authority.allow(tx, desk.policy, by, Permission.REJECT_RUN, now)
        accounts.lock_all(tx, findings.accounts_of_run(tx, run_id))
        run = end(tx, desk, run_id, granted)
        if run.kind == "repair":
            findings.take_back(tx, granted, run.id, run.created_at, now)
        return run

    return perform(desk, rejected, wakes=None)


def _check_of(kind: RunKind) -> Check:
    match kind:
        case "import":
            return check_held_import
        case "mappings" | "repair" | "adoption":
            return _nothing_more


def _nothing_more(tx: Tx, desk: Desk, run: Run) -> None:
    """Each row is pinned to the version of its account, or what is to be checked is checked elsewhere."""
