"""Rows of a run of repairs: each wants nothing new of its account but a look of the workers, who mend what differs
in Keycloak. Called inside the transaction of a chunk, once nothing holds the run back."""

from __future__ import annotations

from collections.abc import Sequence

from sync.commands.access import authority
from sync.domain.access.permissions import Permission
from sync.domain.work.lane import Lane
from sync.jobs.runs.applying import Applying, existing, refuse_changed_meanwhile
from sync.store.drift import findings
from sync.store.provisioning import due
from sync.store.runs.run_rows import RunRow


def apply_repair_rows(chunk: Applying, rows: Sequence[RunRow]) -> list[str]:
    return [_repair(chunk, row) for row in rows]


def _repair(chunk: Applying, row: RunRow) -> str:
    """Keycloak differs from what is wanted: the next look mends it, and makes a user anew that is gone then.
    Raises Refused if the account was changed since the comparison; then it is looked at anyway. Raises NotAllowed
    if whoever let the run go may not do so any more."""
    account_id = existing(chunk, row)
    refuse_changed_meanwhile(chunk, row, "what is wanted of it now is carried out anyway")
    granted = authority.allow(chunk.tx, chunk.policy, chunk.by, Permission.REPAIR, chunk.now)
    gone = row.changes.get("recreate")
    if gone is not None:
        findings.let_make_anew(chunk.tx, granted, account_id, gone, chunk.now)
    if gone is None or not due.lift_quarantine(chunk.tx, granted, account_id, Lane.BULK, chunk.now):
        due.look_again(chunk.tx, account_id, Lane.BULK, chunk.now)
    return account_id
