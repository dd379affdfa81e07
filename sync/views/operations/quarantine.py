"""Accounts that need a person, in groups of the same reason (H2, H3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sync.domain.provisioning.quarantine import normalised
from sync.store.database.transactions import Tx
from sync.store.provisioning import stuck
from sync.store.provisioning.stuck import Quarantined, StuckGroup

SHOWN = 5


@dataclass(frozen=True, slots=True)
class QuarantineGroup:
    """Accounts that are in quarantine for the same reason. `reason` is without what is particular to one of them
    (`normalised`) and names the group for `retry`; `accounts` are the first few."""

    kind: str
    reason: str
    count: int
    since: datetime | None
    accounts: tuple[Quarantined, ...]


def list_quarantine(tx: Tx, kind: str | None = None) -> tuple[QuarantineGroup, ...]:
    """The largest group first."""
    groups: dict[tuple[str, str], list[Quarantined]] = defaultdict(list)
    for each in stuck.quarantined(tx, kind):
        groups[each.kind, normalised(each.reason)].append(each)
    listed = [
        QuarantineGroup(kind, reason, len(found), found[0].since, tuple(found[:SHOWN]))
        for (kind, reason), found in groups.items()
    ]
    return tuple(sorted(listed, key=lambda group: (-group.count, group.kind, group.reason)))


def counted(groups: Collection[StuckGroup]) -> tuple[StuckGroup, ...]:
    """Groups of the store joined where the normalised reason is the same; the largest first."""
    joined: dict[tuple[str, str], StuckGroup] = {}
    for group in groups:
        key = group.kind, normalised(group.reason)
        before = joined.get(key)
        since = [each for each in (group.since, before.since if before else None) if each is not None]
        joined[key] = StuckGroup(
            *key, count=group.count + (before.count if before else 0), since=min(since, default=None)
        )
    return tuple(sorted(joined.values(), key=lambda group: (-group.count, group.kind, group.reason)))
