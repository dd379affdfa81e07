"""Runs of any kind as doors show them: what was reviewed, why it is held, how far it is (F2-F4, E7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync.desk import Desk
from sync.domain.access.callers import Caller, same
from sync.domain.access.scope import Scope
from sync.domain.errors import NotFound, Problem, Refused
from sync.domain.wording import runs_listed
from sync.store.database.tables import RunKind, RunState
from sync.store.database.transactions import Tx
from sync.store.runs import progress, run_rows, runs
from sync.store.runs.progress import Place, Progress
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run

SEARCHED = 200
"""So many of the newest runs are looked through for somebody's last one."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with all its rows. `places` says by row number where an applied one is, and why if it is in
    quarantine."""

    run: Run
    rows: tuple[RunRow, ...]
    progress: Progress
    places: Mapping[int, tuple[Place, str | None]]


@dataclass(frozen=True, slots=True)
class RunRows:
    """Some rows of a run, by number. `more`: there are others after them."""

    rows: tuple[RunRow, ...]
    places: Mapping[int, tuple[Place, str | None]]
    more: bool


def run_state(tx: Tx, scope: Scope, run_id: str) -> tuple[Run, Progress]:
    """A run without its rows, of which it may have many. Raises like `run_view`."""
    scope.require_everything("runs")
    run = runs.get(tx, run_id)
    if run is None:
        raise _unknown(run_id, None)
    return run, progress.progress(tx, run_id)


def run_rows_page(tx: Tx, scope: Scope, run_id: str, after: int, limit: int) -> RunRows:
    """The rows after this number. Raises like `run_view`."""
    run_state(tx, scope, run_id)
    found = run_rows.some_rows(tx, run_id, after, limit + 1)
    rows = found[:limit]
    where = progress.places(tx, run_id, (rows[0].number, rows[-1].number)) if rows else {}
    return RunRows(rows, where, more=len(found) > limit)


def run_view(tx: Tx, scope: Scope, run_id: str) -> RunView:
    """Raises NotFound. A run is about people of the whole company: Refused for a scope of one branch."""
    scope.require_everything("runs")
    run = runs.get(tx, run_id)
    if run is None:
        raise _unknown(run_id, None)
    return RunView(run, run_rows.rows(tx, run_id), progress.progress(tx, run_id), progress.places(tx, run_id))


def run_progress(tx: Tx, scope: Scope, run_id: str) -> Progress:
    """How far it is, counted by the database: for whoever asks again and again. Raises like `run_view`."""
    scope.require_everything("runs")
    return progress.progress(tx, run_id)


def recent_runs(
    tx: Tx,
    scope: Scope,
    limit: int | None,
    kind: RunKind | None = None,
    state: RunState | None = None,
    after: str | None = None,
) -> tuple[Run, ...]:
    """The newest first, or those `after` the run with this id. Raises Refused for a scope of one branch."""
    scope.require_everything("runs")
    return runs.recent(tx, limit, kind, state, after)


def find_run(desk: Desk, scope: Scope, text: str, kind: RunKind | None, whose: Caller | None = None) -> Run:
    """By id, by the end of an id (six characters or more), or `last`; of one kind, or (None) of any. `whose`: of
    which caller `last` is the last, None: of all. Raises NotFound, or Refused if several end like this."""
    scope.require_everything("runs")
    with desk.db.read() as tx:
        if text == "last" and whose is not None:
            return _last_of(tx, whose, kind)
        if text == "last":
            found = runs.recent(tx, 1, kind)
        else:
            found = runs.ending_in(tx, text.strip().lower(), kind) if len(text.strip()) >= 6 else ()
    if len(found) > 1:
        raise Refused([Problem("run", f"{len(found)} runs end in {text!r}", runs_listed(kind))])
    if not found:
        raise _unknown(text, kind)
    return found[0]


def _last_of(tx: Tx, caller: Caller, kind: RunKind | None) -> Run:
    """Two people at work never take each other's for their own."""
    newest = runs.recent(tx, SEARCHED, kind)
    own = next((run for run in newest if same(run.by.caller, caller)), None)
    if own is not None:
        return own
    if not newest:
        raise _unknown("last", kind)
    reason = f"none of the last ones is yours; {newest[0].by.name} made the newest, of {newest[0].source}"
    raise NotFound([Problem("run", reason, f"if that is meant: {newest[0].id}")])


def _unknown(text: str, kind: RunKind | None) -> NotFound:
    return NotFound([Problem("run", f"there is no run {text!r}", runs_listed(kind))])
