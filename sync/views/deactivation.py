"""Work orders that somebody has to look after, and wishes to move them (D4, D5)."""

from __future__ import annotations

from sync.domain.access.scope import Scope
from sync.domain.errors import NotFound, Problem
from sync.store.database.transactions import Tx
from sync.store.deactivation import deactivations, reassignments
from sync.store.deactivation.deactivations import Stranded
from sync.store.deactivation.reassignments import Reassignment


def stranded(tx: Tx, scope: Scope) -> tuple[Stranded, ...]:
    """Open work orders of technicians of the scope who lost access."""
    return deactivations.stranded(tx, scope)


def reassignment(tx: Tx, scope: Scope, reassignment_id: str) -> Reassignment:
    """How far the wish is. Who sees one branch sees the wishes between two technicians of it, whose work orders it
    may ask to be moved: as they were when it was asked for. Raises NotFound."""
    found = reassignments.get(tx, reassignment_id)
    if found is None or not (scope.everything or found.branch == scope.branch):
        raise NotFound([Problem("reassignment", f"there is no reassignment {reassignment_id}")])
    return found


def recent_reassignments(tx: Tx, scope: Scope, limit: int | None) -> tuple[Reassignment, ...]:
    """The newest wishes to move work orders, ended or not, as far as the scope reaches: see `reassignment`. None:
    all of them."""
    return reassignments.recent(tx, scope, limit)
