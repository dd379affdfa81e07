"""Linking a technician record with an account, from either side (B2-B4). The database keeps it one to one."""

from __future__ import annotations

from sync.commands.accounts.change import change_account
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import NotFound, Problem
from sync.ports.field_service import Technician


def link_technician(desk: Desk, account_id: str, technician_id: str | None, by: Cause) -> Account:
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
