"""A row of an import, applied to our database: a new account or a change of one (F4, F5).

`apply_runs` calls it inside the transaction of a chunk.
"""

from __future__ import annotations

from sync.domain.import_verdict import account_change, new_account
from sync.domain.lane import Lane
from sync.store.runs import RunRow
from sync.usecases.applying import Applying, refuse_changed_meanwhile
from sync.usecases.change_account import InitialPassword, change, create
from sync.usecases.initial_password import generate


def apply_import_row(chunk: Applying, row: RunRow) -> str:
    """Raises Refused if a rule of today forbids it or the account was changed since the review."""
    tx, policy, by, now = chunk.tx, chunk.policy, chunk.by, chunk.now
    if row.account_id is None:
        password = InitialPassword(generate(), "mail") if chunk.run.options["welcome_mail"] else None
        return create(tx, policy, new_account(row.changes), by, now, password=password, lane=Lane.BULK).id
    refuse_changed_meanwhile(chunk, row)
    return change(tx, policy, row.account_id, account_change(row.changes), by, now, lane=Lane.BULK).id
