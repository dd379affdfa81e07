"""What the rows of a chunk share while they are applied, whatever the kind of their run.

Made by `apply_runs` for each chunk; each kind of run has one function that applies rows of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from mappings.policy import Policy
from sync.domain.access.cause import Cause, Origin
from sync.domain.errors import Problem, Refused
from sync.store.database.transactions import Tx
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run


@dataclass(frozen=True, slots=True)
class Applying:
    """`versions` are the wanted versions of the accounts of the chunk, which are locked; `by` is who wanted the
    run, through its door."""

    tx: Tx
    policy: Policy
    run: Run
    versions: Mapping[str, int]
    by: Cause
    now: datetime


ApplyRows: TypeAlias = Callable[[Applying, Sequence[RunRow]], Sequence[str]]
"""Applies these rows, all or none, and returns the ids of their accounts. Raises Refused for the first that cannot
be applied."""


@dataclass(frozen=True, slots=True)
class KindOfRun:
    """What applying a row means, and what made the changes that follow from it."""

    apply: ApplyRows
    origin: Origin


def refuse_changed_meanwhile(chunk: Applying, row: RunRow, remedy: str) -> None:
    """An account that is not as the review saw it is refused alone (rule: approve-a-fingerprint). Raises
    Refused, with what the kind of run advises."""
    if chunk.versions.get(row.account_id or "") != row.base_version:
        raise Refused(
            [
                Problem(
                    f"row {row.number}",
                    f"{row.messages['who']} was changed by somebody else since the review",
                    remedy,
                )
            ]
        )


def existing(chunk: Applying, row: RunRow) -> str:
    """The account of the row. Raises Refused if there is none."""
    if row.account_id is None or row.account_id not in chunk.versions:
        raise Refused([Problem(f"row {row.number}", "is about no account", "see fsm-identity account list")])
    return row.account_id
