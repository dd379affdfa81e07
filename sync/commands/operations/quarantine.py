"""Accounts that need a person: shown in groups of the same reason, and tried again once it is mended (H2, H3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sync.commands.accounts.change import require_reason
from sync.domain.accounts.change import Actor
from sync.domain.provisioning.quarantine import normalised
from sync.domain.work.lane import Lane
from sync.store import audit
from sync.store.database.ids import new_id
from sync.store.database.transactions import Tx
from sync.store.provisioning import due, stuck
from sync.store.provisioning.stuck import Quarantined, StuckGroup

SHOWN = 5
FEW = 20
"""More than these are tried again in the bulk lane: a click of an administrator does not wait behind them."""


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


def retry(
    tx: Tx,
    by: Actor,
    now: datetime,
    *,
    account_ids: Collection[str] | None = None,
    kind: str | None = None,
    reason: str | None = None,
) -> int:
    """Try accounts in quarantine again: those named, those of a kind, those of a reason, or with none of the three
    all. `reason` is a group's (`list_quarantine`) or an account's own. Answers how many; each has an entry in its
    history with who asked and why. The caller wakes both lanes of accounts. Raises Refused without a reason."""
    require_reason(by)
    wanted = None if reason is None else normalised(reason)
    chosen = [
        each
        for each in stuck.quarantined(tx, kind)
        if (account_ids is None or each.account_id in account_ids)
        and (wanted is None or normalised(each.reason) == wanted)
    ]
    lane = Lane.INTERACTIVE if len(chosen) <= FEW else Lane.BULK
    together = new_id(now)
    lifted = 0
    for each in chosen:
        if not due.lift_quarantine(tx, each.account_id, lane, now):
            continue
        lifted += 1
        audit.audit(
            tx,
            account_id=each.account_id,
            action="try again",
            changed={"quarantine": (f"{each.kind}: {each.reason}", None)},
            by=by,
            now=now,
            correlation_id=together,
        )
    return lifted
