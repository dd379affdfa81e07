"""What is shown of runs of any kind."""

from __future__ import annotations

from sync.desk import Desk
from sync.domain.errors import Problem, Refused
from sync.store.database.tables import RunKind
from sync.store.runs import runs
from sync.store.runs.runs import IMPORT, Run


def find_run(desk: Desk, text: str, kind: RunKind | None = IMPORT) -> Run:
    """By id, by the end of an id (six characters or more), or `last`; of one kind, or (None) of any. Raises
    Refused with what there is."""
    with desk.db.read() as tx:
        if text == "last":
            found = runs.recent(tx, 1, kind)
        else:
            found = runs.ending_in(tx, text.strip().lower(), kind) if len(text.strip()) >= 6 else ()
    if len(found) != 1:
        many = f"{len(found)} runs end in {text!r}" if found else f"there is no run {text!r}"
        raise Refused([Problem("run", many, f"see fsm-identity {'import' if kind == IMPORT else 'runs'} list")])
    return found[0]
