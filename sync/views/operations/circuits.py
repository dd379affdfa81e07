"""The circuits, one for each way to a system (H2)."""

from __future__ import annotations

from sync.domain.access.scope import Scope
from sync.domain.work.circuit import Circuit, CircuitName
from sync.store.database.transactions import Tx
from sync.store.work import circuits


def every_circuit(tx: Tx, scope: Scope) -> tuple[Circuit, ...]:
    """Raises Refused for a scope of one branch."""
    scope.require_everything("circuits")
    return tuple(circuits.every(tx))


def circuit(tx: Tx, scope: Scope, name: CircuitName) -> Circuit:
    """Raises like `every_circuit`."""
    scope.require_everything("circuits")
    return circuits.get(tx, name)
