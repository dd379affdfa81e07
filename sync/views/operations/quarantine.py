"""Accounts that need a person, in groups of the same cause (H2, H3)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sync.domain.access.scope import Scope
from sync.store.database.transactions import Tx
from sync.store.provisioning import stuck
from sync.store.provisioning.stuck import Quarantined

SHOWN = 5


@dataclass(frozen=True, slots=True)
class QuarantineGroup:
    """Accounts that are in quarantine for the same cause. `code` says which and names the group for `retry`;
    `reason` is that of the first; `accounts` are the first few."""

    kind: str
    code: str
    reason: str
    count: int
    since: datetime | None
    accounts: tuple[Quarantined, ...]


def list_quarantine(tx: Tx, scope: Scope, kind: str | None = None) -> tuple[QuarantineGroup, ...]:
    """The largest group first. Raises Refused for a scope of one branch."""
    scope.require_everything("accounts in quarantine")
    groups: dict[tuple[str, str], list[Quarantined]] = defaultdict(list)
    for each in stuck.quarantined(tx, kind):
        groups[each.kind, each.code].append(each)
    listed = [
        QuarantineGroup(kind, code, found[0].reason, len(found), found[0].since, tuple(found[:SHOWN]))
        for (kind, code), found in groups.items()
    ]
    return tuple(sorted(listed, key=lambda group: (-group.count, group.kind, group.code)))


def quarantined(tx: Tx, scope: Scope, kind: str | None = None) -> tuple[Quarantined, ...]:
    """Each account. Raises like `list_quarantine`."""
    scope.require_everything("accounts in quarantine")
    return stuck.quarantined(tx, kind)
