"""Linking a technician record with an account, from either side (B2-B4). The database keeps it one to one."""

from __future__ import annotations

from dataclasses import dataclass

from sync.commands.deactivation.early_look import change_account
from sync.desk import Desk
from sync.domain.accounts.account import Account
from sync.domain.accounts.assignability import reasons_against
from sync.domain.accounts.change import AccountChange, Actor
from sync.domain.errors import NotFound, Problem
from sync.ports.field_service import Technician
from sync.store.accounts import accounts


def link_technician(desk: Desk, account_id: str, technician_id: str | None, by: Actor) -> Account:
    """Link, relink, or unlink with None. Raises Refused if the record is unknown or linked elsewhere, and
    WorkOrdersOpen if the technician the account has now still has work: unlinking is no way around the gate.
    """
    if technician_id is not None:
        require_technician(desk, technician_id)
    return change_account(desk, account_id, AccountChange(technician_id=technician_id), by)


def require_technician(desk: Desk, technician_id: str) -> Technician:
    """The technician record. Raises NotFound if the FSM system has none of that id."""
    technician = desk.field_service.technician(technician_id)
    if technician is None:
        raise NotFound(
            [Problem("technician", f"{technician_id!r} is not in the FSM system", "see technician list")]
        )
    return technician


@dataclass(frozen=True, slots=True)
class Assignability:
    """A technician record with its account, and why it cannot be given work (empty: it can)."""

    technician: Technician
    account: Account | None
    reasons: tuple[str, ...]


def assignability(desk: Desk) -> tuple[Assignability, ...]:
    """Every technician record of the FSM system, ordered by id (B3)."""
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
    )
