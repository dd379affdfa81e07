"""Work orders that somebody has to look after, and wishes to move them (D4, D5)."""

from __future__ import annotations

from sync.domain.access.scope import Scope
from sync.domain.errors import NotFound, Problem
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.deactivation import deactivations, reassignments
from sync.store.deactivation.deactivations import Stranded
from sync.store.deactivation.reassignments import Reassignment


def stranded(tx: Tx, scope: Scope) -> tuple[Stranded, ...]:
    """Open work orders of technicians of the scope who lost access."""
    return deactivations.stranded(tx, scope)


def reassignment(tx: Tx, scope: Scope, reassignment_id: str) -> Reassignment:
    """How far the wish is. Who sees one branch sees wishes between two technicians of it, as these are whose work
    orders it may ask to be moved. Raises NotFound."""
    found = reassignments.get(tx, reassignment_id)
    if found is None or not _within(tx, scope, found):
        raise NotFound([Problem("reassignment", f"there is no reassignment {reassignment_id}")])
    return found


def _within(tx: Tx, scope: Scope, asked: Reassignment) -> bool:
    if scope.everything:
        return True
    both = {asked.technician_id, asked.to_technician_id}
    known = accounts.by_technicians(tx, both)
    return known.keys() == both and all(scope.holds(account) for account in known.values())
