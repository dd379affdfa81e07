"""The run that a command names."""

from __future__ import annotations

from sync.domain.errors import NotFound, Problem
from sync.domain.wording import runs_listed
from sync.store.database.tables import RunKind
from sync.store.database.transactions import Tx
from sync.store.runs import runs
from sync.store.runs.runs import Run


def existing_run(tx: Tx, run_id: str, kind: RunKind | None = None) -> Run:
    """Of that kind, or (None) of any. In a write transaction it stays as it is until the transaction ends. Raises
    NotFound."""
    run = runs.get(tx, run_id)
    if run is None or kind not in (None, run.kind):
        raise NotFound([Problem("run", f"there is no run {run_id}", runs_listed(kind))])
    return run
