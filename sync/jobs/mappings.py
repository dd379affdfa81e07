"""Rows of runs that want nothing new of an account but a look of the workers: repairs of what differs in Keycloak,
and accounts that a changed mapping file reaches. `apply_runs` calls them inside the transaction of a chunk.
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.commands.drift.repair import recreate
from sync.domain.errors import Problem, Refused
from sync.domain.work.lane import Lane
from sync.jobs.runs.applying import Applying, refuse_changed_meanwhile
from sync.store import audit
from sync.store.provisioning import due
from sync.store.runs.runs import RunRow


def apply_mappings_rows(chunk: Applying, rows: Sequence[RunRow]) -> list[str]:
    return [_mappings(chunk, row) for row in rows]


def _mappings(chunk: Applying, row: RunRow) -> str:
    """The policy in force means something else for the account: a new wanted version.

    Also for an account that was changed since the review: the policy in force is everybody's, and one that was
    left out would stay as the old one wanted it. Its timeline says why (A7).
    """
    account_id = _existing(chunk, row)
    changed = {name: (before, after) for name, (before, after) in row.changes.get("change", {}).items()}
    audit.audit(
        chunk.tx,
        account_id=account_id,
        action="follow the mapping files",
        changed=changed,
        by=chunk.by,
        now=chunk.now,
        correlation_id=chunk.run.id,
    )
    due.mark_due(chunk.tx, account_id, Lane.BULK, chunk.now)
    return account_id


def apply_repair_rows(chunk: Applying, rows: Sequence[RunRow]) -> list[str]:
    return [_repair(chunk, row) for row in rows]


def _repair(chunk: Applying, row: RunRow) -> str:
    """Keycloak differs from what is wanted: the next look mends it. Raises Refused if the account was changed
    since the comparison; then it is looked at anyway. A user that was deleted is made anew."""
    account_id = _existing(chunk, row)
    refuse_changed_meanwhile(chunk, row)
    gone = row.changes.get("recreate")
    if gone is not None:
        recreate(chunk.tx, chunk.policy, account_id, gone, chunk.by, chunk.now)
        return account_id
    due.look_again(chunk.tx, account_id, Lane.BULK, chunk.now)
    return account_id


def _existing(chunk: Applying, row: RunRow) -> str:
    if row.account_id is None or row.account_id not in chunk.versions:
        raise Refused([Problem(f"row {row.number}", "is about no account", "see fsm-identity account list")])
    return row.account_id
