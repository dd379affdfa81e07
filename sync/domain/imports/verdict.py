"""What was decided about a row, and its record: plain JSON that a run keeps and a fingerprint is taken of (F3).

A record says everything that will be done and everything the person was shown; two plans with equal records
are the same plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from mappings.fingerprint import fingerprint
from mappings.guard import ChangeKind
from sync.domain.accounts.change import AccountChange, NewAccount, from_plain, plain, with_attributes
from sync.domain.imports.values import Finding
from sync.domain.runs.effects import ORDINARY

_NEW = tuple(each.name for each in fields(NewAccount))


class RowVerdict(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """`account_id` and `base_version` say whose account, as it was when the plan was made; None for a joiner.
    `new` belongs to CREATE, `change` to UPDATE; `changed` maps a field to what it is and what it becomes.
    `effects` are what the mass-change guard calls it. `login` and `employee_number` are what the person is known
    by, so that two imports of one person are seen.
    """

    number: int
    verdict: RowVerdict
    who: str
    account_id: str | None = None
    base_version: int | None = None
    new: NewAccount | None = None
    change: AccountChange | None = None
    changed: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    effects: frozenset[ChangeKind] = frozenset()
    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    login: str | None = None
    employee_number: str | None = None


def changes_record(row: PlannedRow) -> dict[str, Any]:
    """What will be done, as JSON: all fields of a new account, or field → [before, after]."""
    if row.new is not None:
        values = ((name, getattr(row.new, name)) for name in _NEW)
        return {"new": {name: plain(value) for name, value in values if value is not None and value != {}}}
    if row.changed:
        pairs = {name: [plain(value) for value in pair] for name, pair in sorted(row.changed.items())}
        return {"change": pairs}
    return {}


def messages_record(row: PlannedRow) -> dict[str, Any]:
    """What the person was shown."""
    return {
        "who": row.who,
        "errors": [asdict(finding) for finding in row.errors],
        "warnings": [asdict(finding) for finding in row.warnings],
        "effects": sorted(row.effects - ORDINARY),
    }


def new_account(changes: Mapping[str, Any]) -> NewAccount:
    """The joiner of a CREATE row's record."""
    return NewAccount(**{name: from_plain(name, value) for name, value in changes["new"].items()})


def account_change(changes: Mapping[str, Any]) -> AccountChange:
    """The change of an UPDATE row's record."""
    wanted = {name: from_plain(name, pair[1]) for name, pair in changes["change"].items()}
    return AccountChange(**with_attributes(wanted))


def findings(messages: Mapping[str, Any], kind: str) -> tuple[Finding, ...]:
    """`kind` is `errors` or `warnings`."""
    return tuple(Finding(**each) for each in messages[kind])


def fingerprint_of(rows: Sequence[PlannedRow], policy_fingerprint: str) -> str:
    """Over everything decided about every row, and over the policy it was decided by."""
    decided = [
        [row.number, row.verdict, row.account_id, row.base_version, changes_record(row), messages_record(row)]
        for row in rows
    ]
    return fingerprint(policy_fingerprint, decided)
