"""How many accounts may be changed at once without an approval, as `guard.toml` says it (E7).

What each kind of change means is decided in `sync.domain.runs.effects`, when a run is held in
`sync.domain.runs.guard`; here are only the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from mappings.files.reading import Document, Table

ChangeKind = Literal["created", "changed", "disabled", "moved", "demoted", "unlinked", "promoted", "privileged"]
GuardedDoor = Literal["import", "hr", "repair", "mappings", "realm", "dates"]
Window = Literal["hour", "day", "week"]

KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
DOORS: tuple[GuardedDoor, ...] = get_args(GuardedDoor)
WINDOWS: tuple[Window, ...] = get_args(Window)

TIMES: Mapping[Window, int] = {"hour": 1, "day": 2, "week": 4}
"""How many times the limit of one run, and of an hour, may pass within a window that has none of its own."""

UNLIMITED = "unlimited"


@dataclass(frozen=True, slots=True)
class Limit:
    """Held is what is more than `accounts`, or at least `percent_from` and more than `percent` of the active
    accounts, in one run or within an hour. None: no limit. `day` and `week` None: `TIMES` of it."""

    accounts: int | None
    percent: int | None
    percent_from: int
    day: Limit | None = None
    week: Limit | None = None

    def within(self, window: Window) -> Limit:
        """What holds for all that one source lets pass within the window."""
        own = {"hour": self, "day": self.day, "week": self.week}[window]
        return own or Limit(
            accounts=None if self.accounts is None else self.accounts * TIMES[window],
            percent=None if self.percent is None else self.percent * TIMES[window],
            percent_from=self.percent_from,
        )


EACH = Limit(accounts=0, percent=None, percent_from=1)
"""Whoever is `privileged` counts from the first one, where the file says nothing else."""


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

    limits: Mapping[ChangeKind, Limit]
    doors: Mapping[GuardedDoor, Mapping[ChangeKind, Limit]]
    approval: ApprovalRules = ApprovalRules()

    def of(self, door: GuardedDoor) -> Mapping[ChangeKind, Limit]:
        return {**self.limits, **self.doors.get(door, {})}


def read(document: Document) -> GuardRules:
    root = document.root
    _refuse_another_window(root)
    doors = root.entries("doors", DOORS, "door") if root.has("doors") else {}
    return GuardRules(
        limits=_all(root.table("limits")),
        doors={door: _own(doors[door]) for door in DOORS if door in doors},
        approval=_approval(root.table("approval")) if root.has("approval") else ApprovalRules(),
    )


def _refuse_another_window(root: Table) -> None:
    """Files of before say `window_minutes = 60`, and that is what an hour still is."""
    if root.has("window_minutes") and root.integer("window_minutes", 1, 10_080) != 60:
        root.report("window_minutes", "windows are an hour, a day and a week: leave it out, set limits for them")


def _all(table: Table) -> dict[ChangeKind, Limit]:
    """A file of before knows no promotions: as many may be promoted as demoted."""
    optional: dict[ChangeKind, Limit] = {"privileged": EACH}
    limits = {
        kind: _limit(table.table(kind))
        for kind in KINDS
        if table.has(kind) or kind not in {"promoted", "privileged"}
    }
    return {"promoted": limits["demoted"], **optional, **limits}


def _approval(table: Table) -> ApprovalRules:
    return ApprovalRules(table.boolean("one_is_enough"), table.boolean("needs_account"))


def _own(table: Table) -> dict[ChangeKind, Limit]:
    return {kind: _limit(table.table(kind)) for kind in KINDS if table.has(kind)}


def _limit(table: Table) -> Limit:
    percent_from = table.integer("percent_from", 1, 1_000_000)
    return replace(
        _numbers(table, percent_from),
        day=_numbers(table.table("day"), percent_from) if table.has("day") else None,
        week=_numbers(table.table("week"), percent_from) if table.has("week") else None,
    )


def _numbers(table: Table, percent_from: int) -> Limit:
    return Limit(
        accounts=table.integer_or("accounts", UNLIMITED, 0, 1_000_000),
        percent=table.integer_or("percent", UNLIMITED, 0, 100),
        percent_from=percent_from,
    )
