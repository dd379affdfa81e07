"""What may pass without an approval: a whole run, or what a source sends piece by piece (E7, rule:
judge-the-whole-run).

Whoever lets many changes pass asks here in the transaction that does: the confirmation of an import, the
adoption of mapping files, the repairs of drift, the door of an HR system. What passes is counted, by source and
kind, and judged together with what comes next. What is held is not, nor is it once somebody has approved it:
what a person has looked at leaves no less room for others.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from mappings.guard import ChangeKind, GuardedDoor
from mappings.policy import Policy
from sync.domain.accounts.account import Account
from sync.domain.runs.effects import PROMOTIONS, access_of, effects
from sync.domain.runs.guard import GuardVerdict, Hold, Impact, judge
from sync.store.accounts import listing
from sync.store.database.tables import RowVerdict
from sync.store.database.transactions import Tx
from sync.store.runs import pushes
from sync.store.runs.run_rows import not_applied
from sync.store.runs.runs import Run


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
    """`judge_run` for one change that a source pushes by itself."""
    kinds = effects(None if before is None else access_of(before, policy), access_of(after, policy))
    return judge_run(tx, policy, source, Impact.of([kinds]), now, door=door)


def judge_run(
    tx: Tx, policy: Policy, source: str, impact: Impact, now: datetime, *, door: GuardedDoor
) -> GuardVerdict:
    """Judge all of it, together with what of the same source has passed within an hour, a day and a week: a file
    cut in pieces is one change of many. What passes counts from then on.

    It is counted first and taken back if it is held, so that of two at once the second sees the first.
    """
    pushes.forget(tx, now)
    counted = _to_judge(tx, impact)
    pushes.count(tx, source, counted.counts, now)
    together = pushes.within(tx, source, now)
    earlier = {window: each + -counted for window, each in together.items()}
    verdict = judge(counted, listing.population(tx), policy.guard, door, earlier)
    if isinstance(verdict, Hold):
        pushes.count(tx, source, (-counted).counts, now)
    return verdict


def foresee(
    tx: Tx, policy: Policy, source: str, impact: Impact, now: datetime, *, door: GuardedDoor
) -> GuardVerdict:
    """What `judge_run` would say just now. Counts nothing."""
    return judge(_to_judge(tx, impact), listing.population(tx), policy.guard, door, pushes.within(tx, source, now))


def give_back(tx: Tx, run: Run) -> None:
    """A run has ended, and some of it was not applied: that leaves room for its mended file."""
    if run.counted_as is None or run.confirmed_at is None:
        return
    left = Impact.of(
        (_ROWS[verdict], *messages.get("effects", ())) for verdict, messages in not_applied(tx, run.id)
    )
    pushes.count(tx, run.counted_as, (-left).counts, run.confirmed_at)


_ROWS: Final[Mapping[RowVerdict, ChangeKind]] = {"create": "created", "update": "changed"}


def _to_judge(tx: Tx, impact: Impact) -> Impact:
    """The first run of an empty database makes everybody what they are: there is nobody yet who could approve
    it."""
    return impact.without(PROMOTIONS) if listing.is_empty(tx) else impact
