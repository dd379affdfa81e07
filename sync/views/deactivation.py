"""Work orders that somebody has to look after, and wishes to move them (D4, D5)."""

from __future__ import annotations

from sync.domain.access.scope import Scope
from sync.store.database.transactions import Tx
from sync.store.deactivation import deactivations, reassignments
from sync.store.deactivation.deactivations import Stranded
from sync.store.deactivation.reassignments import Reassignment


def stranded(tx: Tx, scope: Scope) -> tuple[Stranded, ...]:
    """Open work orders of technicians of the scope who lost access."""
    return deactivations.stranded(tx, scope)


def reassignment(tx: Tx, scope: Scope, reassignment_id: str) -> Reassignment | None:
    """How far the wish is. Raises Refused for a scope of one branch."""
    scope.require_everything("work orders of others")
    return reassignments.get(tx, reassignment_id)
