"""Accounts that need a person: shown in groups of the same cause, and tried again once it is mended (H2, H3)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from mappings.policy import Policy
from sync.commands.access import authority
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.work.lane import Lane
from sync.store.audit import trail
from sync.store.database.ids import new_id
from sync.store.database.transactions import Tx
from sync.store.provisioning import due, stuck

FEW = 20
"""More than these are tried again in the bulk lane: a click of an administrator does not wait behind them."""


def retry(
    tx: Tx,
    policy: Policy | None,
    by: Cause,
    now: datetime,
    *,
    account_ids: Collection[str] | None = None,
    kind: str | None = None,
    code: str | None = None,
) -> int:
    """Try accounts in quarantine again: those named, those of a kind, those of a code, or with none of the three
    all. `code` is a group's (`list_quarantine`), or only its first word. Returns how many; each has an entry in
    its history with who asked and why. The caller wakes both lanes of accounts. Raises Refused without a
    reason, NotAllowed."""
    granted = authority.allow(tx, policy, by, Permission.TRY_AGAIN, now)
    chosen = [
        each
        for each in stuck.quarantined(tx, kind)
        if (account_ids is None or each.account_id in account_ids)
        and (code is None or code in (each.code, each.code.partition(" ")[0]))
    ]
    lane = Lane.INTERACTIVE if len(chosen) <= FEW else Lane.BULK
    together = new_id(now)
    lifted = 0
    for each in chosen:
        if not due.lift_quarantine(tx, granted, each.account_id, lane, now):
            continue
        lifted += 1
        trail.audit(
            tx,
            account_id=each.account_id,
            action="try again",
            changed={"quarantine": (f"{each.kind}: {each.reason}", None)},
            by=by,
            now=now,
            correlation_id=together,
        )
    return lifted
