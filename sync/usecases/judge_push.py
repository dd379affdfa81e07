"""A single change that a source pushes by itself: part of a flood or not (E7, DESIGN rule 6).

A door that receives one change after the other, such as that of an HR system, asks here in the transaction that
stores the change; what is held it stores held.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from mappings.guard import GuardedDoor
from mappings.policy import Policy
from sync.domain.account import Account
from sync.domain.mass_change import Impact, Verdict, access_of, effects, judge_push
from sync.store import listing, pushes
from sync.store.database import Tx


def judge_pushed(
    tx: Tx,
    policy: Policy,
    source: str,
    before: Account | None,
    after: Account,
    now: datetime,
    *,
    door: GuardedDoor = "hr",
) -> Verdict:
    """Count the change, then judge all that `source` has pushed within the window, this one included.

    What is held counts too: a flood does not pass piece by piece because its first pieces were stopped.
    """
    kinds = effects(None if before is None else access_of(before, policy), access_of(after, policy))
    pushes.forget(tx, now - timedelta(minutes=2 * policy.guard.window_minutes))
    pushes.count(tx, source, kinds, now)
    together = pushes.within(tx, source, policy.guard.window_minutes, now)
    earlier = Impact({kind: number - (kind in kinds) for kind, number in together.items()})
    return judge_push(earlier, Impact.of([kinds]), listing.population(tx), policy.guard, door)
