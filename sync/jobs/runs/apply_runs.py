"""Applying confirmed runs to our database, chunk by chunk (F4, F5). A job of the bulk lane.

A chunk is one transaction: the accounts, their due work, their passwords and mails, and the results of the
rows come together or not at all. A worker that dies loses nothing and doubles nothing. What applying a row means
is for each kind of run to say.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from sync.commands.access import administrators
from sync.commands.runs.guard import give_back
from sync.commands.waking import wake
from sync.domain.access.cause import Cause, Origin
from sync.domain.errors import NotAllowed, Refused
from sync.domain.work.lane import Lane
from sync.jobs.runs.applying import Applying, ApplyRows, KindOfRun
from sync.jobs.systems import Systems
from sync.jobs.work.giving_way import give_way
from sync.jobs.work.unforeseen import of_type
from sync.store import mappings
from sync.store.database.tables import RunKind
from sync.store.database.transactions import Tx, UnforeseenInPart
from sync.store.provisioning import work_state
from sync.store.runs import run_rows, runs
from sync.store.runs.run_rows import RowOutcome, RunRow
from sync.store.runs.runs import Run, RunClaim
from sync.store.work import account_claims, lanes

CHUNK = 100
"""Rows in one transaction: well below a second of locks, and few enough commits."""

ENOUGH = 240
"""Accounts due in the bulk lane from which on no further rows are applied. They would only wait there, in front of
whatever is confirmed next: three drains' shares keep every worker busy. Those that only come again (held, failing,
waiting for something to be mended) are not counted: a pile of them would keep every import waiting."""

log = structlog.get_logger()


class _Stopped(Exception, ABC):
    """Nothing of an all-or-nothing run is applied: its transaction is rolled back, and another one says why."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id

    @abstractmethod
    def record(self, tx: Tx, claim: RunClaim, now: datetime) -> None: ...


class _NotAll(_Stopped):
    """A row cannot be applied; those that stood in the way keep their reasons."""

    def __init__(self, run_id: str, outcomes: Sequence[RowOutcome]) -> None:
        super().__init__(run_id)
        self.outcomes = outcomes

    def record(self, tx: Tx, claim: RunClaim, now: datetime) -> None:
        refused = [outcome for outcome in self.outcomes if outcome.result != "applied"]
        run_rows.write_outcomes(tx, claim, claim.run.id, refused)
        runs.refuse(tx, claim, now)
        give_back(tx, claim.run)


class _RightLost(_Stopped):
    """Whoever confirmed it may not do this any more."""

    def __init__(self, run_id: str, reason: str) -> None:
        super().__init__(run_id)
        self.reason = reason

    def record(self, tx: Tx, claim: RunClaim, now: datetime) -> None:  # noqa: ARG002 - it has not ended
        runs.hold_rest(tx, claim, self.reason)


def apply_chunk(systems: Systems, kinds: Mapping[RunKind, KindOfRun], limit: int = CHUNK) -> int:
    """Apply the next rows of the run whose turn it is, and wake the lane that carries them to Keycloak. `kinds`
    says what applying a row means; a run of another kind waits for a worker that knows it.

    Returns how many rows were looked at; 0: no run has any, other workers are at them, or the lane has enough to
    do. An all-or-nothing run is one chunk, however long.
    """
    give_way(systems)
    now = systems.clock.now()
    try:
        with systems.db.write() as tx:
            current = mappings.still_in_force(tx, systems.policy_number)
            looked_at = _apply_next(systems, tx, kinds, limit, now) if current else 0
    except _Stopped as stopped:
        with systems.db.write() as tx:
            claim = runs.claim_again(tx, stopped.run_id)
            if claim is not None:
                stopped.record(tx, claim, now)
        return 0
    if looked_at:
        wake(systems, Lane.BULK)
    return looked_at


def _apply_next(systems: Systems, tx: Tx, kinds: Mapping[RunKind, KindOfRun], limit: int, now: datetime) -> int:
    waits = lanes.is_paused(tx, Lane.BULK) or account_claims.new_up_to(tx, Lane.BULK, now, ENOUGH) >= ENOUGH
    claim = None if waits else runs.claim(tx, kinds.keys())
    if claim is None:
        return 0
    run = claim.run
    together = bool(run.options.get("all_or_nothing"))
    rows = run_rows.pending_decided(tx, run.id, None if together else limit)
    outcomes, lost = _apply(systems, tx, kinds[run.kind], run, rows, now)
    if lost is not None and together:
        raise _RightLost(run.id, lost)
    if together and any(outcome.result != "applied" for outcome in outcomes):
        raise _NotAll(run.id, outcomes)
    run_rows.write_outcomes(tx, claim, run.id, _versioned(tx, outcomes))
    if lost is not None:
        runs.hold_rest(tx, claim, lost)
    elif not runs.applying(tx, claim, run.id, now):
        give_back(tx, run)
    return len(rows)


def _apply(
    systems: Systems, tx: Tx, kind: KindOfRun, run: Run, rows: Sequence[RunRow], now: datetime
) -> tuple[list[RowOutcome], str | None]:
    """What became of the rows; and why the rest waits, if who confirmed them may not do this any more."""
    ids = [row.account_id for row in rows if row.account_id is not None]
    administrators.lock(tx, systems.policy, ids)  # their versions cannot move until the commit
    chunk = Applying(tx, systems.policy, run, work_state.wanted_versions(tx, ids), _cause(run, kind.origin), now)
    outcomes = _together(kind.apply, chunk, rows)
    if outcomes:
        return outcomes, None
    for row in rows:
        try:
            outcomes.append(_alone(kind.apply, chunk, row))
        except NotAllowed as refused:
            return outcomes, f"row {row.number}: {chunk.by.name} may not do this any more: {refused}"
    return outcomes, None


def _together(apply: ApplyRows, chunk: Applying, rows: Sequence[RunRow]) -> list[RowOutcome]:
    """All rows as one part of the transaction. Nothing, if there is one among them that cannot be applied."""
    try:
        with chunk.tx.part():
            ids = apply(chunk, rows)
    except (Refused, UnforeseenInPart):
        return []
    return [RowOutcome(row.number, "applied", None, each) for row, each in zip(rows, ids, strict=True)]


def _alone(apply: ApplyRows, chunk: Applying, row: RunRow) -> RowOutcome:
    try:
        with chunk.tx.part():
            (account_id,) = apply(chunk, [row])
    except NotAllowed:
        raise
    except Refused as refused:
        return RowOutcome(row.number, "refused", str(refused), row.account_id)
    except UnforeseenInPart as error:
        log.exception("unforeseen error in a run", run=chunk.run.id, row=row.number)
        return RowOutcome(row.number, "failed", of_type(error.kind), row.account_id)
    return RowOutcome(row.number, "applied", None, account_id)


def _cause(run: Run, origin: Origin) -> Cause:
    """Who confirmed the run, through which door and why; for the history of each account."""
    confirmed = run.cause
    reason = f"{confirmed.reason} ({run.title}, run {run.id})"
    return replace(confirmed, reason=reason, origin=origin)


def _versioned(tx: Tx, outcomes: Sequence[RowOutcome]) -> list[RowOutcome]:
    """With the version that is wanted from now on: Keycloak has the row when it has that."""
    applied = [outcome.account_id for outcome in outcomes if outcome.result == "applied" and outcome.account_id]
    versions = work_state.wanted_versions(tx, applied)
    return [
        replace(outcome, applied_version=versions.get(outcome.account_id or ""))
        if outcome.result == "applied"
        else outcome
        for outcome in outcomes
    ]
