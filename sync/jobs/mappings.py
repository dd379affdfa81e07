"""Rows of a run of changed mapping files: accounts for which they mean something else. Called inside the
transaction of a chunk.
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.commands.accounts.change import drop_retired
from sync.domain.work.lane import Lane
from sync.jobs.runs.applying import Applying, existing
from sync.store.audit import trail
from sync.store.provisioning import due
from sync.store.runs.run_rows import RunRow


def apply_mappings_rows(chunk: Applying, rows: Sequence[RunRow]) -> list[str]:
    return [_mappings(chunk, row) for row in rows]


def _mappings(chunk: Applying, row: RunRow) -> str:
    """The policy in force means something else for the account: a new wanted version.

    Also for an account that was changed since the review: the policy in force is everybody's, and one that was
    left out would stay as the old one wanted it. Its timeline says why (A7).
    """
    account_id = existing(chunk, row)
    changed = {name: (before, after) for name, (before, after) in row.changes.get("change", {}).items()}
    changed |= drop_retired(chunk.tx, chunk.policy, account_id, chunk.by, chunk.now)
    trail.audit(
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
