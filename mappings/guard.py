"""How many accounts may be changed at once without an approval, as `guard.toml` says it (E7).

What each kind of change means is decided in `sync.domain.runs.guard`; here are only the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from mappings.reading import Document, Table

ChangeKind = Literal["created", "changed", "disabled", "moved", "demoted", "unlinked"]
GuardedDoor = Literal["import", "hr", "repair", "mappings", "realm"]

KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
DOORS: tuple[GuardedDoor, ...] = get_args(GuardedDoor)

UNLIMITED = "unlimited"


@dataclass(frozen=True, slots=True)
class Limit:
    """Held is what is more than `accounts`, or at least `percent_from` and more than `percent` of the active
    accounts. None: no limit."""

    accounts: int | None
    percent: int | None
    percent_from: int


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """Who may approve what the guard holds."""

    one_is_enough: bool = False
    """True: whoever confirmed it may approve it as well."""
    needs_account: bool = False
    """True: only somebody with an account may approve, no login of an operating system."""


@dataclass(frozen=True, slots=True)
class GuardRules:
    """`limits` hold for every door but those with `doors` of their own, kind by kind."""

    window_minutes: int
    limits: Mapping[ChangeKind, Limit]
    doors: Mapping[GuardedDoor, Mapping[ChangeKind, Limit]]
    approval: ApprovalRules = ApprovalRules()

    def of(self, door: GuardedDoor) -> Mapping[ChangeKind, Limit]:
        return {**self.limits, **self.doors.get(door, {})}


def read(document: Document) -> GuardRules:
    root = document.root
    limits = root.table("limits")
    doors = root.entries("doors", DOORS, "door") if root.has("doors") else {}
    return GuardRules(
        window_minutes=root.integer("window_minutes", 1, 10_080),
        limits={kind: _limit(limits.table(kind)) for kind in KINDS},
        doors={door: _own(doors[door]) for door in DOORS if door in doors},
        approval=_approval(root.table("approval")) if root.has("approval") else ApprovalRules(),
    )


def _approval(table: Table) -> ApprovalRules:
    return ApprovalRules(table.boolean("one_is_enough"), table.boolean("needs_account"))


def _own(table: Table) -> dict[ChangeKind, Limit]:
    return {kind: _limit(table.table(kind)) for kind in KINDS if table.has(kind)}


def _limit(table: Table) -> Limit:
    return Limit(
        accounts=table.integer_or("accounts", UNLIMITED, 0, 1_000_000),
        percent=table.integer_or("percent", UNLIMITED, 0, 100),
        percent_from=table.integer("percent_from", 1, 1_000_000),
    )
