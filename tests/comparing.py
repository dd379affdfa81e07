"""Comparisons as a worker runs them: under the lease of their job, which is due again afterwards."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from sync.jobs.drift.compare import compare as compare_now
from sync.jobs.drift.compare_attributes import compare_attributes as compare_attributes_now
from sync.jobs.drift.judge import Judged
from sync.jobs.drift.judge import judge as judge_now
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.jobs.work.lease import terms
from sync.store import schedule
from sync.store.drift.comparisons import Comparison

T = TypeVar("T")


def compare(systems: Systems) -> Comparison:
    return under_lease(systems, "comparison", compare_now)


def compare_attributes(systems: Systems) -> Comparison:
    return under_lease(systems, "attribute-pass", compare_attributes_now)


def judge(systems: Systems, account_ids: Collection[str]) -> Judged:
    return under_lease(systems, "comparison", lambda _, keep: judge_now(systems, keep, account_ids))


def under_lease(systems: Systems, job: str, work: Callable[[Systems, KeepLease], T]) -> T:
    with systems.db.write() as tx:
        schedule.register(tx, [job], systems.clock.now())
        claim = schedule.claim(tx, [job], terms(systems))
    assert claim is not None, f"somebody else runs {job}, or it is not due"
    try:
        return work(systems, KeepLease(systems, claim))
    finally:
        with systems.db.write() as tx:
            schedule.finish(tx, claim, systems.clock.now(), due_at=systems.clock.now())
