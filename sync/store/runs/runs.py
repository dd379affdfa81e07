"""Runs: what was reviewed, who confirmed it, how far it is (F2-F5). Their rows stand in `run_rows`.

A run goes reviewed → confirmed → applying → done, or ends cancelled or refused. One that the mass-change guard
stops is held between reviewed and confirmed, until somebody approves it (E7).
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, and_, exists, func, or_, select, text, update

from sync.domain.access import cause
from sync.domain.access.cause import Cause
from sync.domain.access.granted import Granted
from sync.domain.wording import run_title
from sync.domain.work.claimed import ClaimedJob, ClaimedRun
from sync.store.database.tables import PENDING_ROW, RunKind, RunState, run_row
from sync.store.database.tables import run as runs
from sync.store.database.transactions import Tx
from sync.store.runs import run_rows
from sync.store.runs.run_rows import RunRow

UNFINISHED: Final = ("confirmed", "applying", "paused")
_COUNTED: Final = "counted_as"
_CONFIRMING = 7_203_114
"""The number of PostgreSQL's advisory lock under which runs are confirmed: any constant of our own."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Run:
    """`source` is the file's name, `source_digest` the SHA-256 of its bytes, `fingerprint` the plan's.

    `by` is who made it and why; `confirmation` and `approval` say the same of what came after. `counts` are rows
    by verdict. `options` is whatever the use case needs to apply and explain the run. `held_reasons` say why the
    mass-change guard stopped it; they stay after the approval.
    """

    id: str
    kind: RunKind
    state: RunState
    source: str
    source_digest: str
    fingerprint: str
    created_at: datetime
    by: Cause
    counts: Mapping[str, int]
    options: Mapping[str, Any]
    confirmed_at: datetime | None = None
    confirmation: Cause | None = None
    finished_at: datetime | None = None
    held_reasons: tuple[str, ...] | None = None
    approved_at: datetime | None = None
    approval: Cause | None = None

    @property
    def cause(self) -> Cause:
        """Why its rows are applied, and as whom: of whoever confirmed it. Raises ValueError before that."""
        if self.confirmation is None:
            raise ValueError(f"run {self.id} was not confirmed")
        return self.confirmation

    @property
    def counted_as(self) -> str | None:
        """The source under which the mass-change guard counted it. None: it was held, or is no run that is."""
        return self.options.get(_COUNTED)

    @property
    def title(self) -> str:
        return run_title(self.kind, self.source)


_FIELDS = tuple(each.name for each in fields(Run))
_COLUMN = {name: runs.c["cause" if name == "by" else name] for name in _FIELDS}
_CAUSES = ("by", "confirmation", "approval")
_RUN = tuple(column.label(name) for name, column in _COLUMN.items())


def insert(tx: Tx, granted: Granted, run: Run, rows: Sequence[RunRow]) -> None:
    """A new run, made by whoever was granted it."""
    values = {column: getattr(run, name) for name, column in _COLUMN.items()} | {_COLUMN["by"]: granted.by}
    for column in (_COLUMN[name] for name in _CAUSES):
        values[column] = None if values[column] is None else cause.record(values[column])
    tx.connection.execute(runs.insert().values(values))
    for start in range(0, len(rows), _AT_ONCE):
        run_rows.add_rows(tx, run.id, rows[start : start + _AT_ONCE])


def written(tx: Tx, run_id: str, fingerprint: str, counts: Mapping[str, int]) -> None:
    """The last row is there: what all of them are together."""
    tx.connection.execute(update(runs).where(runs.c.id == run_id).values(fingerprint=fingerprint, counts=counts))


def planning(tx: Tx, _claimed: ClaimedJob, run_id: str, read: int) -> None:
    """How many users of Keycloak were read so far for a run that is asked for."""
    asked = (runs.c.id == run_id, runs.c.state == "asked")
    tx.connection.execute(update(runs).where(*asked).values(counts={"read": read}))


def planned(tx: Tx, _claimed: ClaimedJob, run_id: str, fingerprint: str, counts: Mapping[str, int]) -> bool:
    """It can be reviewed; its rows come in the same commit. False: it is not asked for any more."""
    changed = tx.connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.state == "asked")
        .values(state="reviewed", fingerprint=fingerprint, source_digest=fingerprint, counts=counts)
    )
    return changed.rowcount == 1


def not_planned(tx: Tx, _claimed: ClaimedJob, run: Run, reason: str, now: datetime) -> None:
    """Nobody can plan it; a person is told why."""
    tx.connection.execute(
        update(runs)
        .where(runs.c.id == run.id, runs.c.state == "asked")
        .values(state="refused", finished_at=now, options={**run.options, "failure": reason})
    )


def unfinished(tx: Tx, kind: RunKind) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Those of the kind that have to be planned, and those that have to be carried out, the oldest first."""
    found = select(*_RUN).where(runs.c.kind == kind, runs.c.state.in_(("asked", "confirmed", "applying")))
    every = tuple(_run(row) for row in tx.connection.execute(found.order_by(runs.c.id)).mappings())
    return tuple(r for r in every if r.state == "asked"), tuple(r for r in every if r.state != "asked")


def get(tx: Tx, run_id: str) -> Run | None:
    """In a write transaction the run stays as it is until the transaction ends."""
    row = tx.connection.execute(tx.locking(select(*_RUN).where(runs.c.id == run_id))).mappings().one_or_none()
    return None if row is None else _run(row)


def ending_in(tx: Tx, ending: str, kind: RunKind | None = None) -> tuple[Run, ...]:
    """Runs (of a kind) whose id ends like this: the last characters are what people type."""
    found = select(*_RUN).where(runs.c.id.endswith(ending, autoescape=True), *_of_kind(kind)).order_by(runs.c.id)
    return tuple(_run(row) for row in tx.connection.execute(found).mappings())


def recent(
    tx: Tx,
    limit: int | None,
    kind: RunKind | None = None,
    state: RunState | None = None,
    after: str | None = None,
) -> tuple[Run, ...]:
    """The newest first, `limit` None: all; of one kind, or of all; in one state, or in any. `after`: only those
    that come after the run with this id."""
    found = select(*_RUN).where(*_of_kind(kind)).order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit)
    if state is not None:
        found = found.where(runs.c.state == state)
    if after is not None:
        made = select(runs.c.created_at).where(runs.c.id == after).scalar_subquery()
        older = or_(runs.c.created_at < made, and_(runs.c.created_at == made, runs.c.id < after))
        found = found.where(older)
    return tuple(_run(row) for row in tx.connection.execute(found).mappings())


def _of_kind(kind: RunKind | None) -> tuple[ColumnElement[bool], ...]:
    return () if kind is None else (runs.c.kind == kind,)


def confirm_one_at_a_time(tx: Tx) -> None:
    """Nobody else confirms a run until this transaction ends, so that each sees what the other wants.

    Raises Transient (by the database's lock timeout) if another confirmation takes too long. SQLite has one
    writer anyway.
    """
    if tx.dialect == "postgresql":
        tx.connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _CONFIRMING})


def same_people(tx: Tx, run_id: str) -> tuple[tuple[int, Run], ...]:
    """Rows of this run that are about somebody whom a pending row of another unfinished run is about."""
    others = select(*_RUN).where(runs.c.id != run_id, runs.c.state.in_(UNFINISHED)).order_by(runs.c.id)
    unfinished = tuple(_run(row) for row in tx.connection.execute(others).mappings())
    if not unfinished:
        return ()
    mine = {who: number for number, who in run_rows.whom(tx, run_id)}
    found: dict[int, Run] = {}
    for other in unfinished:
        found |= {mine[who]: other for _, who in run_rows.whom(tx, other.id) if who in mine}
    return tuple(sorted(found.items()))


def confirm(tx: Tx, run_id: str, granted: Granted, now: datetime) -> bool:
    """False: the run is not waiting for a confirmation."""
    changed = tx.connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.state == "reviewed")
        .values(state="confirmed", confirmed_at=now, **_confirmed_by(granted))
    )
    return changed.rowcount == 1


def counted(tx: Tx, run: Run, source: str) -> None:
    """The mass-change guard has counted it under this source, which `Run.counted_as` says from then on."""
    tx.connection.execute(
        update(runs).where(runs.c.id == run.id).values(options={**run.options, _COUNTED: source})
    )


def hold(tx: Tx, run_id: str, reasons: Sequence[str], granted: Granted) -> bool:
    """The mass-change guard stopped it: nothing is applied before an approval. `granted` is the confirmation.
    False: the run is not waiting for a confirmation."""
    changed = tx.connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.state == "reviewed")
        .values(state="held", held_reasons=tuple(reasons), **_confirmed_by(granted))
    )
    return changed.rowcount == 1


def hold_rest(tx: Tx, claimed: ClaimedRun, reason: str) -> None:
    """Whoever confirmed it may not do this any more: what is left waits for somebody who may."""
    tx.connection.execute(
        update(runs).where(runs.c.id == claimed.row).values(state="held", held_reasons=(reason,))
    )


def refuse(tx: Tx, claimed: ClaimedRun, now: datetime) -> None:
    """Nothing of it is applied: some of an all-or-nothing run cannot be."""
    end(tx, claimed.row, "refused", now)


def approve(tx: Tx, run: Run, granted: Granted, now: datetime) -> bool:
    """A held run is handed to the workers. What was left of a run that had begun is applied as who approved it.
    False: it is not held (any more)."""
    theirs = _confirmed_by(granted) if run.confirmed_at is not None else {}
    changed = tx.connection.execute(
        update(runs)
        .where(runs.c.id == run.id, runs.c.state == "held")
        .values(
            {
                "state": "confirmed",
                "confirmed_at": now,
                "approved_at": now,
                "approval": cause.record(granted.by),
                **theirs,
            }
        )
    )
    return changed.rowcount == 1


def cancel(tx: Tx, run_id: str, granted: Granted, now: datetime) -> bool:  # noqa: ARG001 - proves that it was asked
    """Nothing more of the run is applied, for somebody wants it so. False: it had ended already."""
    return end(tx, run_id, "cancelled", now)


def _confirmed_by(granted: Granted) -> dict[str, Any]:
    return {"confirmation": cause.record(granted.by)}


def end(tx: Tx, run_id: str, state: RunState, now: datetime) -> bool:
    """Nothing more of the run is applied. False: it had ended already."""
    changed = tx.connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.state.in_(("reviewed", "held", *UNFINISHED)))
        .values(state=state, finished_at=now)
    )
    return changed.rowcount == 1


def any_to_apply(tx: Tx, now: datetime) -> bool:  # noqa: ARG001 - the sweep asks every store the same way
    return bool(tx.connection.scalar(select(exists().where(runs.c.state.in_(("confirmed", "applying"))))))


@dataclass(frozen=True)
class RunClaim(ClaimedRun, ABC):
    """A run that is being applied, locked until the transaction ends: the lock is the lease, and with the worker
    that held it go both the lock and whatever it had not committed (F4)."""

    run: Run


@dataclass(frozen=True)
class _RunClaim(RunClaim):
    @property
    def from_lock(self) -> bool:
        return True


def claim(tx: Tx, kinds: Collection[RunKind]) -> RunClaim | None:
    """The run of these kinds whose turn was longest ago. Runs that another worker holds are passed over. So runs
    take turns chunk by chunk, and a small one confirmed behind a large one is done soon."""
    return _next_claim(tx, (runs.c.kind.in_(sorted(kinds)),), pass_over=True)


def claim_again(tx: Tx, run_id: str) -> RunClaim | None:
    """After its transaction was rolled back. None: nobody applies it any more."""
    return _next_claim(tx, (runs.c.id == run_id,), pass_over=False)


def _next_claim(tx: Tx, only: Sequence[ColumnElement[bool]], *, pass_over: bool) -> RunClaim | None:
    found = (
        select(*_RUN)
        .where(runs.c.state.in_(("confirmed", "applying")), *only)
        .order_by(func.coalesce(runs.c.turn_at, runs.c.confirmed_at), runs.c.id)
        .limit(1)
        .with_for_update(skip_locked=pass_over, key_share=True)
    )
    row = tx.connection.execute(found).mappings().one_or_none()
    return None if row is None else _RunClaim(row["id"], _run(row))


def applying(tx: Tx, _claimed: ClaimedRun | ClaimedJob, run_id: str, now: datetime) -> bool:
    """After a chunk: the run goes on when the others have had their turn, or is done. False: nothing is left of
    it."""
    left = tx.connection.scalar(select(exists().where(run_row.c.run_id == run_id, PENDING_ROW)))
    if not left:
        end(tx, run_id, "done", now)
        return False
    tx.connection.execute(update(runs).where(runs.c.id == run_id).values(state="applying", turn_at=now))
    return True


def being_applied(tx: Tx, kind: RunKind) -> bool:
    """True while a confirmed run of the kind has rows left."""
    found = exists().where(runs.c.state.in_(("confirmed", "applying")), runs.c.kind == kind)
    return bool(tx.connection.scalar(select(found)))


def _run(row: RowMapping) -> Run:
    values = {name: row[name] for name in _FIELDS}
    kept = {name: cause.from_record(values[name]) for name in _CAUSES if values[name] is not None}
    return Run(**values | kept)
