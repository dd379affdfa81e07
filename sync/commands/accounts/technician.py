"""Linking a technician record with an account, from either side (B2-B4). The database keeps it one to one."""

from __future__ import annotations

from sync.commands.accounts.change import Changed, change_account
from sync.commands.accounts.technician_record import require_technician
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy


def link_technician(
    desk: Desk,
    account_id: str,
    technician_id: str | None,
    by: Cause,
    gate: GatePolicy = GatePolicy.REFUSE,
    *,
    version: int | None = None,
) -> Changed:
    """Link, relink, or unlink with None. Raises Refused if the record is unknown or linked elsewhere, and, under
    the policy refuse, WorkOrdersOpen if the technician the account has now still has work: unlinking is no way
    around the gate. `version` as in `change_account`.
    """
    if technician_id is not None:
        require_technician(desk, technician_id)
    return change_account(desk, account_id, AccountChange(technician_id=technician_id), by, gate, version=version)
