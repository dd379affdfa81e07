"""Rows of an import, applied to our database: new accounts and changes of known ones (F4, F5).

`apply_runs` calls it inside the transaction of a chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from sync.commands.accounts.change import change, create_all
from sync.commands.accounts.initial_password import InitialPassword, generate
from sync.domain.imports.verdict import account_change, new_account
from sync.domain.work.lane import Lane
from sync.jobs.runs.applying import Applying, refuse_changed_meanwhile
from sync.store.runs.run_rows import RunRow

_REVIEW_AGAIN = "review the file again; rows that are applied already will be unchanged"


def apply_import_rows(chunk: Applying, rows: Sequence[RunRow]) -> list[str]:
    """In the order of the file; joiners that follow each other are stored together. Raises Refused if a rule of
    today forbids one or its account was changed since the review."""
    ids: list[str] = []
    for joins, some in groupby(rows, lambda row: row.account_id is None):
        apply = _create if joins else _change
        ids += apply(chunk, tuple(some))
    return ids


def _create(chunk: Applying, rows: Sequence[RunRow]) -> list[str]:
    mailed = chunk.run.options["welcome_mail"]
    joiners = [(new_account(row.changes), InitialPassword(generate(), "mail") if mailed else None) for row in rows]
    made = create_all(chunk.tx, chunk.policy, joiners, chunk.by, chunk.now, lane=Lane.BULK)
    return [account.id for account in made]


def _change(chunk: Applying, rows: Sequence[RunRow]) -> list[str]:
    ids = []
    for row in rows:
        refuse_changed_meanwhile(chunk, row, _REVIEW_AGAIN)
        wanted, account_id = account_change(row.changes), str(row.account_id)
        change(chunk.tx, chunk.policy, account_id, wanted, chunk.by, chunk.now, lane=Lane.BULK)
        ids.append(account_id)
    return ids
