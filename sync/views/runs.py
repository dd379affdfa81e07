"""Runs of any kind as doors show them: what was reviewed, why it is held, how far it is (F2-F4, E7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.errors import NotFound, Problem, Refused
from sync.domain.wording import runs_listed
from sync.store.database.tables import RunKind, RunState
from sync.store.database.transactions import Tx
from sync.store.runs import progress, run_rows, runs
from sync.store.runs.progress import Place, Progress
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with all its rows. `places` says by row number where an applied one is, and why if it is in
    quarantine."""

    run: Run
    rows: tuple[RunRow, ...]
    progress: Progress
    places: Mapping[int, tuple[Place, str | None]]


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
    tx: Tx, scope: Scope, limit: int, kind: RunKind | None = None, state: RunState | None = None
) -> tuple[Run, ...]:
    """The newest first. Raises Refused for a scope of one branch."""
    scope.require_everything("runs")
    return runs.recent(tx, limit, kind, state)


def find_run(desk: Desk, scope: Scope, text: str, kind: RunKind | None) -> Run:
    """By id, by the end of an id (six characters or more), or `last`; of one kind, or (None) of any. Raises
    NotFound, or Refused if several end like this."""
    scope.require_everything("runs")
    with desk.db.read() as tx:
        if text == "last":
            found = runs.recent(tx, 1, kind)
        else:
            found = runs.ending_in(tx, text.strip().lower(), kind) if len(text.strip()) >= 6 else ()
    if len(found) > 1:
        raise Refused([Problem("run", f"{len(found)} runs end in {text!r}", runs_listed(kind))])
    if not found:
        raise _unknown(text, kind)
    return found[0]


def _unknown(text: str, kind: RunKind | None) -> NotFound:
    return NotFound([Problem("run", f"there is no run {text!r}", runs_listed(kind))])
