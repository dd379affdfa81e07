"""What one person does to one account after the other is counted like everything else that changes accounts, and
warned of where it is more than the mass-change guard would let a run do (E7). It is never held: somebody looked
at each.

Commands about one account call it in their transaction. The same person's next import is judged together with it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import structlog

from mappings.guard import ChangeKind
from mappings.policy import Policy
from sync.domain.access.cause import Cause
from sync.domain.accounts.account import Account
from sync.domain.runs.effects import PROMOTIONS, access_of, effects
from sync.domain.runs.guard import Impact, beyond, source_of
from sync.store.accounts import listing
from sync.store.database.transactions import Tx
from sync.store.operations import troubles
from sync.store.runs import pushes

REMEDY = "ask them whether that is meant; docs/operations.md, 'Many accounts are changed by hand'"

log = structlog.get_logger()


def count(tx: Tx, policy: Policy, before: Account | None, after: Account, by: Cause, now: datetime) -> None:
    """Count what happened to the account, and say so if it was too much lately. `before` None: it is new. Nothing
    happened: nothing is counted. What is given by hand is not counted: somebody looked at whom it is given to."""
    if before == after:
        return
    was = None if before is None else access_of(before, policy)
    count_kinds(tx, policy, effects(was, access_of(after, policy)), by, now)


def count_kinds(tx: Tx, policy: Policy, happens: Collection[ChangeKind], by: Cause, now: datetime) -> None:
    """`count` where it is known what happens to the account."""
    kinds = frozenset(happens) - PROMOTIONS
    source = source_of(by.caller)
    pushes.count(tx, source, Impact.of([kinds]).counts, now)
    passed = pushes.within(tx, source, now)
    reasons = "; ".join(beyond(passed, kinds, listing.population(tx), policy.guard))
    if reasons:
        log.warning("many accounts are changed by hand", by=by.name, what=reasons)
        troubles.note(tx, f"by hand: {source}", f"{by.name} changes many accounts: {reasons}", REMEDY, now)
