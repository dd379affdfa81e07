"""What a source sends piece by piece: part of a flood or not (E7, rule: judge-the-whole-run).

A door that receives one change after the other, such as that of an HR system, asks here in the transaction that
stores the change; so do imports and the hints of Keycloak's admin events. What is held they store held.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from mappings.guard import GuardedDoor
from mappings.policy import Policy
from sync.domain.accounts.account import Account
from sync.domain.runs.guard import GuardVerdict, Impact, Pass, access_of, effects, judge, judge_push
from sync.store.accounts import listing
from sync.store.database.transactions import Tx
from sync.store.runs import pushes


def judge_pushed(
    tx: Tx,
    policy: Policy,
    source: str,
    before: Account | None,
    after: Account,
    now: datetime,
    *,
    door: GuardedDoor = "hr",
) -> GuardVerdict:
    """Count the change, then judge all that `source` has pushed within the window, this one included.

    What is held counts too: a flood does not pass piece by piece because its first pieces were stopped.
    """
    kinds = effects(None if before is None else access_of(before, policy), access_of(after, policy))
    return judge_portion(tx, policy, source, Impact.of([kinds]), now, door=door)


def judge_portion(
    tx: Tx, policy: Policy, source: str, impact: Impact, now: datetime, *, door: GuardedDoor
) -> GuardVerdict:
    """`judge_pushed` for a portion of several accounts."""
    minutes = policy.guard.window_minutes
    pushes.forget(tx, now - timedelta(minutes=2 * minutes))
    pushes.count(tx, source, impact.counts, now)
    together = pushes.within(tx, source, minutes, now)
    earlier = Impact({kind: number - impact[kind] for kind, number in together.items()})
    return judge_push(earlier, impact, listing.population(tx), policy.guard, door)


def judge_next_run(
    tx: Tx, policy: Policy, source: str, impact: Impact, now: datetime, *, door: GuardedDoor
) -> GuardVerdict:
    """A whole run, and what of the same source has passed within the window before: a file cut in pieces is one
    change of many. What is held does not count: its mended file comes soon after it. One run at a time, please."""
    population = listing.population(tx)
    verdict = judge(impact, population, policy.guard, door)
    if verdict == Pass():
        earlier = Impact(pushes.within(tx, source, policy.guard.window_minutes, now))
        verdict = judge_push(earlier, impact, population, policy.guard, door)
    if verdict == Pass():
        pushes.count(tx, source, impact.counts, now)
    return verdict
