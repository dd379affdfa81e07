"""Changes that a source pushes one at a time are counted together over a window (E7)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from mappings import load
from mappings.guard import Limit
from sync.commands.runs.guard import judge_pushed
from sync.domain.accounts.account import Account, Life
from sync.domain.runs.guard import GuardVerdict, Hold, Pass
from sync.jobs.systems import Systems
from sync.store.accounts import accounts
from sync.store.database.tables import push_count
from tests.callers import granted
from tests.commands.imports.import_sites import import_site
from tests.domain.runs.test_mass_change import ACCOUNT

POLICY = load()
STRICT = replace(
    POLICY, guard=replace(POLICY.guard, limits={**POLICY.guard.limits, "disabled": Limit(3, None, 1)})
)
GONE = replace(ACCOUNT, life=Life.INACTIVE)


@pytest.fixture
def systems(database_url: str) -> Iterator[Systems]:
    """Our database of either kind."""
    with import_site(database_url) as made:
        yield made


def push(
    systems: Systems, source: str = "hr", before: Account | None = ACCOUNT, after: Account = GONE
) -> GuardVerdict:
    with systems.db.write() as tx:
        return judge_pushed(tx, STRICT, source, before, after, systems.clock.now())


@pytest.mark.supports("E7")
def test_the_fourth_leaver_within_the_hour_is_held(systems: Systems) -> None:
    """And everyone after. Another source, and a joiner, pass."""
    assert [push(systems) for _ in range(3)] == [Pass()] * 3
    held = Hold(("4 accounts within an hour would be disabled: more than 3",))
    assert push(systems) == held
    assert isinstance(push(systems), Hold)
    assert push(systems, source="payroll") == Pass()
    assert push(systems, before=None, after=ACCOUNT) == Pass()


@pytest.mark.supports("E7")
def test_the_window_slides(systems: Systems) -> None:
    """An hour later the same source may go on, until the day is full; then the next day, until the week is. What
    was held fills none of them, and what no window reaches any more is dropped."""
    passed = []
    for _ in range(11):
        passed.append([push(systems) for _ in range(5)].count(Pass()))
        systems.clock.advance(timedelta(hours=12, minutes=1))  # type: ignore[attr-defined]
    assert passed == [3, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0]
    for _ in range(4):
        passed.append([push(systems) for _ in range(5)].count(Pass()))
        systems.clock.advance(timedelta(hours=1, minutes=1))  # type: ignore[attr-defined]
    systems.clock.advance(timedelta(days=9))  # type: ignore[attr-defined]
    push(systems, source="payroll")
    with systems.db.read() as tx:
        assert {source for (source,) in tx.connection.execute(select(push_count.c.source))} == {"payroll"}


@pytest.mark.supports("E7")
@pytest.mark.parametrize("before", [ACCOUNT, replace(ACCOUNT, profile="administrator", life=Life.INACTIVE), None])
def test_a_push_makes_nobody_an_administrator(systems: Systems, before: Account | None) -> None:
    """Neither somebody who is there, nor somebody who comes back or joins: each is held."""
    with systems.db.write() as tx:
        accounts.insert(
            tx, granted(replace(ACCOUNT, id="another", username="another", email="another@example.com"))
        )
    boss = replace(ACCOUNT, profile="administrator", technician_id=None)
    verdict = push(systems, before=before, after=boss)
    assert isinstance(verdict, Hold)
    assert "1 account would be able to keep accounts" in verdict.reasons[-1]


@pytest.mark.supports("E7")
def test_two_at_once_do_not_both_pass_for_the_last(systems: Systems) -> None:
    """Eight pushes start together: exactly three pass."""
    start = threading.Barrier(8)
    verdicts: list[GuardVerdict] = []

    def run_it() -> None:
        start.wait(20)
        verdicts.append(push(systems))

    threads = [threading.Thread(target=run_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert verdicts.count(Pass()) == 3
    assert len(verdicts) == 8


@pytest.mark.supports("E7")
def test_a_part_of_a_small_company_counts_from_its_accounts(systems: Systems) -> None:
    """Percentages are of the accounts that are active in our database."""
    with systems.db.write() as tx:
        accounts.insert(tx, granted(ACCOUNT))
    policy = replace(
        POLICY, guard=replace(POLICY.guard, limits={**POLICY.guard.limits, "disabled": Limit(None, 50, 1)})
    )
    with systems.db.write() as tx:
        verdict = judge_pushed(tx, policy, "hr", ACCOUNT, GONE, systems.clock.now())
    assert verdict == Hold(("1 account would be disabled: 100 % of 1 active ones, more than 50 %",))
