"""Who can be given work orders, and why not (B3)."""

from __future__ import annotations

from dataclasses import dataclass

from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.assignability import reasons_against
from sync.ports.field_service import Technician
from sync.store.accounts import accounts


@dataclass(frozen=True, slots=True)
class Assignability:
    """A technician record with its account, and why it cannot be given work (empty: it can)."""

    technician: Technician
    account: Account | None
    reasons: tuple[str, ...]


def assignability(desk: Desk, scope: Scope) -> tuple[Assignability, ...]:
    """The technician records of the FSM system, ordered by id (B3). One that no account knows is the whole
    company's."""
    technicians = desk.field_service.technicians()
    with desk.db.read() as tx:
        linked = accounts.by_technicians(tx, [technician.id for technician in technicians])
    return tuple(
        Assignability(
            technician,
            linked.get(technician.id),
            reasons_against(linked.get(technician.id), desk.policy, fsm_assignable=technician.assignable),
        )
        for technician in technicians
        if _holds(scope, linked.get(technician.id))
    )


def _holds(scope: Scope, account: Account | None) -> bool:
    return scope.everything if account is None else scope.holds(account)
