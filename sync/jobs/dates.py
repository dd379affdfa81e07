"""The job that lets days take effect: every minute it looks whose first day has come and whose last one is over
where they work, from the database and no delayed message (E4, fact: celery-loses-messages).

Each account is a transaction of its own, so that one that is refused stops nobody; it is told until a person has
mended it. Those that end together are judged together first (rule: judge-the-whole-run).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import structlog

from mappings.policy import Policy
from sync.commands.dates import begin, end, ended_of, welcome
from sync.commands.perform import perform
from sync.commands.waking import wake
from sync.domain.access.callers import System
from sync.domain.accounts.account import Account
from sync.domain.dates import is_over, is_to_come, is_welcomed_later
from sync.domain.errors import Refused
from sync.domain.runs.effects import access_of, effects
from sync.domain.runs.guard import Hold, Impact, judge, source_of
from sync.domain.wording import counted
from sync.domain.work.lane import Lane
from sync.jobs.systems import Systems
from sync.jobs.work.job import Job, KeepLease
from sync.store import dates
from sync.store.accounts import listing
from sync.store.database.transactions import Tx
from sync.store.operations import troubles
from sync.store.runs import pushes

AT_ONCE = 500
TOLD = 5
"""So many of those that wait are named."""

TROUBLE = "dates"
SOURCE = source_of(System.EXPIRY)

Command = Callable[[Tx, Policy, str, datetime], bool]

log = structlog.get_logger()


def let_days_take_effect(systems: Systems, keep: KeepLease) -> None:
    """Welcome mails first, then beginnings, then ends: after a standstill somebody may come and go at once."""
    now, policy = systems.clock.now(), systems.policy
    near = [
        each.id
        for each in _all(
            systems,
            keep,
            lambda tx, after, limit: dates.to_welcome(tx, now, policy.realm.welcome_days_before, after, limit),
        )
        if not is_welcomed_later(each, policy, now)
    ]
    refused = [*_each(systems, keep, near, welcome)]
    come = [
        each.id
        for each in _all(systems, keep, lambda tx, after, limit: dates.beginning(tx, now, after, limit))
        if not is_to_come(each, policy, now)
    ]
    refused += _each(systems, keep, come, begin)
    over = [
        each
        for each in _all(systems, keep, lambda tx, after, limit: dates.ending(tx, now, after, limit))
        if is_over(each, policy, now)
    ]
    held = _too_many(systems, over, now)
    if not held:
        refused += _each(systems, keep, [each.id for each in over], _end)
    if near or come or (over and not held):
        wake(systems, Lane.BULK)
    with systems.db.write() as tx:
        keep.claimed(tx)
        _tell(tx, refused, over if held else [], held, now)


def _end(tx: Tx, policy: Policy, account_id: str, now: datetime) -> bool:
    """Counted, so that small portions are one change of many."""
    if not end(tx, policy, account_id, now):
        return False
    pushes.count(tx, SOURCE, {"changed": 1, "disabled": 1}, now)
    return True


def _too_many(systems: Systems, over: list[Account], now: datetime) -> tuple[str, ...]:
    """Why they are not deactivated before somebody has looked; empty: they are."""
    policy = systems.policy
    impact = Impact.of(effects(access_of(each, policy), access_of(ended_of(each), policy)) for each in over)
    with systems.db.read() as tx:
        verdict = judge(impact, listing.population(tx), policy.guard, "dates", pushes.within(tx, SOURCE, now))
    return verdict.reasons if isinstance(verdict, Hold) else ()


def _tell(tx: Tx, refused: list[str], over: list[Account], held: tuple[str, ...], now: datetime) -> None:
    told = list(refused[:TOLD])
    if held:
        told.append(f"{counted(len(over), 'account')} whose last day is over: {'; '.join(held)}")
    if not told:
        troubles.clear(tx, TROUBLE)
        return
    remedy = "docs/operations.md, 'A date waits for a person'"
    troubles.note(tx, TROUBLE, f"a date waits for a person: {'; '.join(told)}", remedy, now)


def _each(systems: Systems, keep: KeepLease, account_ids: list[str], command: Command) -> list[str]:
    """Returns what was refused, in words."""
    refused = []
    for account_id in account_ids:
        keep()
        try:
            perform(
                systems,
                lambda tx, each=account_id: command(tx, systems.policy, each, systems.clock.now()),  # type: ignore[misc]
                wakes=None,
            )
        except Refused as why:
            log.warning("a date waits for a person", account=account_id, reason=str(why))
            refused.append(str(why))
    return refused


def _all(
    systems: Systems, keep: KeepLease, page: Callable[[Tx, str, int], tuple[Account, ...]]
) -> Iterator[Account]:
    after = ""
    while True:
        keep()
        with systems.db.read() as tx:
            found = page(tx, after, AT_ONCE)
        yield from found
        if len(found) < AT_ONCE:
            return
        after = found[-1].id


DATES = Job(let_days_take_effect, timedelta(minutes=1))
