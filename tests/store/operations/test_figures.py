"""The figures of an operator: right on both databases, and never read from all accounts (H3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, text, update

from sync.domain.access.cause import Cause
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.work.lane import Lane
from sync.store import schedule
from sync.store.accounts import accounts
from sync.store.accounts.rows import to_row
from sync.store.database.tables import account as account_table
from sync.store.database.tables import provisioning as work
from sync.store.database.transactions import Database
from sync.store.deactivation import deactivations, reassignments
from sync.store.mail import outbox
from sync.store.operations import figures
from sync.store.operations.figures import Figures
from sync.store.provisioning import due
from sync.store.work import account_claims, lanes, lease_rows
from sync.store.work.lease_rows import Terms
from tests.callers import allowed, granted
from tests.claiming import still_claimed
from tests.store.conftest import MakeAccount

pytestmark = pytest.mark.supports("H3")

MINUTE = timedelta(minutes=1)


def read(db: Database, now: datetime) -> Figures:
    with db.read() as tx:
        return figures.read(tx, now)


def lane(found: Figures, wanted: Lane) -> figures.LaneFigures:
    [each] = [each for each in found.lanes if each.lane is wanted]
    return each


def test_nothing_to_do_is_all_zero(db: Database, now: datetime) -> None:
    """Every lane is there, with nothing in it."""
    found = read(db, now)
    assert [each.lane for each in found.lanes] == sorted(Lane)
    assert all(each.due == each.leased == each.later == 0 for each in found.lanes)
    assert (found.held, found.overdue, found.stranded, found.undelivered) == (0, 0, 0, 0)
    assert (found.reassignments, found.oldest_reassignment_at) == (0, None)
    assert (found.quarantined, found.mails, found.acts, found.runs, found.workers) == ({}, {}, {}, (), ())


def test_work_is_counted_where_it_is(db: Database, make_account: MakeAccount, now: datetime, by: Cause) -> None:
    """Due, leased, later and quarantined are four things; an account is in one of them."""
    with db.write() as tx:
        for _ in range(5):
            person = make_account()
            accounts.insert(tx, granted(person))
            due.mark_due(tx, person.id, Lane.BULK, now - MINUTE)
        later, stuck = make_account(), make_account()
        for each in (later, stuck):
            accounts.insert(tx, granted(each))
            due.mark_due(tx, each.id, Lane.INTERACTIVE, now)
        chosen = update(work).where(work.c.account_id == later.id)
        tx.connection.execute(chosen.values(due_at=now + MINUTE, attempts=2))
        chosen = update(work).where(work.c.account_id == stuck.id)
        tx.connection.execute(
            chosen.values(
                due_at=None, quarantine_kind="conflict", quarantine_code="name-taken", quarantine_reason="taken"
            )
        )
        account_claims.claim(tx, Lane.BULK, Terms(now, lease=MINUTE), 2)
        lanes.pause(tx, Lane.BULK, allowed(by), now)
    found = read(db, now)
    bulk, interactive = lane(found, Lane.BULK), lane(found, Lane.INTERACTIVE)
    assert (bulk.due, bulk.leased, bulk.later, bulk.oldest_due_at) == (3, 2, 0, now - MINUTE)
    assert (interactive.due, interactive.later, interactive.failing, interactive.oldest_due_at) == (0, 1, 1, None)
    assert found.quarantined == {"name-taken": 1}
    assert bulk.pause is not None
    with db.write() as tx:
        lease_rows.take_over(tx, now + MINUTE, timedelta())
    assert lane(read(db, now + 2 * MINUTE), Lane.BULK).due == 5


def test_a_lease_that_ran_out_is_due_work_again(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """What a killed worker held counts as waiting, since it became due."""
    person = make_account()
    with db.write() as tx:
        accounts.insert(tx, granted(person))
        due.mark_due(tx, person.id, Lane.BULK, now)
        account_claims.claim(tx, Lane.BULK, Terms(now, lease=MINUTE), 1)
    assert lane(read(db, now + MINUTE / 2), Lane.BULK).leased == 1
    with db.write() as tx:
        lease_rows.take_over(tx, now + MINUTE, timedelta())
    later = lane(read(db, now + 2 * MINUTE), Lane.BULK)
    assert (later.leased, later.due, later.oldest_due_at) == (0, 1, now)


def test_holds_past_their_deadline_are_told_apart(
    db: Database, make_account: MakeAccount, now: datetime, by: Cause
) -> None:
    """A hold without a deadline, or before it, is no alarm."""
    with db.write() as tx:
        for deadline in (None, now + MINUTE, now - MINUTE):
            person = make_account()
            accounts.insert(tx, granted(person))
            asked = deactivations.request(
                tx,
                granted(person, by=by),
                policy=GatePolicy.HOLD,
                deadline=deadline,
                after_deadline="person",
                now=now - 2 * MINUTE,
            )
            deactivations.hold(tx, still_claimed(asked.account_id), asked.id, (), now - MINUTE)
    found = read(db, now)
    assert (found.held, found.overdue, found.oldest_held_at) == (3, 1, now - MINUTE)


def test_work_orders_that_nobody_moves_are_seen(db: Database, now: datetime) -> None:
    """Since they were first asked for, however often it was tried; one that is done is no alarm."""
    with db.write() as tx:
        for number in (1, 2, 3):
            asked = now - number * MINUTE
            reassignments.ask(tx, allowed(), f"T-{number}", "T-9", asked)
        oldest = reassignments.claim(tx, Terms(now, lease=MINUTE))
        assert oldest is not None
        reassignments.done(tx, oldest, (), now)
        next_one = reassignments.claim(tx, Terms(now, lease=MINUTE))
        assert next_one is not None
        reassignments.put_off(tx, next_one, "away", now + MINUTE, 7)
    found = read(db, now)
    assert (found.reassignments, found.oldest_reassignment_at) == (2, now - 2 * MINUTE)


def test_a_failed_mail_is_no_trouble_once_another_was_tried(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """An operator who has sent it again is not reminded for ever."""
    person = make_account()
    with db.write() as tx:
        accounts.insert(tx, granted(person))
        outbox.enqueue(tx, person.id, kind="welcome", recipient=person.email, expires_at=None, now=now)
        outbox.make_due(tx, [still_claimed(person.id)], now)
        [claim] = outbox.claim(tx, Terms(now, lease=MINUTE), 1)
        outbox.finish(tx, claim, "failed", now, error="refused")
    found = read(db, now)
    assert (found.undelivered, found.mails) == (1, {"failed": 1})
    with db.write() as tx:
        outbox.enqueue(tx, person.id, kind="welcome", recipient=person.email, expires_at=None, now=now + MINUTE)
    found = read(db, now + MINUTE)
    assert (found.undelivered, found.mails) == (0, {"failed": 1, "waiting": 1})


def test_jobs_are_a_lane_too(db: Database, now: datetime) -> None:
    """A job that nobody runs makes its lane old."""
    with db.write() as tx:
        schedule.register(tx, ["comparison"], now - MINUTE)
    found = lane(read(db, now), Lane.RECONCILE)
    assert (found.due, found.oldest_due_at) == (1, now - MINUTE)


def test_no_query_reads_all_accounts(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """With many accounts and nothing to do, each query goes through an index of what is unfinished."""
    many = [make_account() for _ in range(3000)]
    with db.write() as tx:
        tx.connection.execute(insert(account_table), [to_row(each) for each in many])
        rows = [
            {
                "account_id": each.id,
                "wanted_version": 1,
                "applied_version": 1,
                "lane": "bulk",
                "asked": 1,
                "attempts": 0,
                "updated_at": now,
            }
            for each in many
        ]
        tx.connection.execute(insert(work), rows)
    analyse(db)
    statements: list[tuple[str, Any]] = []
    with db.read() as tx:

        def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
            statements.append((statement, parameters))

        event.listen(tx.connection, "before_cursor_execute", keep)
        figures.read(tx, now)
        event.remove(tx.connection, "before_cursor_execute", keep)
        explain = "EXPLAIN QUERY PLAN "
        if tx.dialect == "postgresql":
            explain = "EXPLAIN "
            tx.connection.execute(text("SET LOCAL enable_seqscan = off"))  # small tables are read as a whole
        for statement, parameters in statements:
            plan = [str(row) for row in tx.connection.exec_driver_sql(explain + statement, parameters)]
            assert [line for line in plan if reads_all_of_a_big_table(line)] == [], (statement, plan)


BIG = (
    "provisioning",
    "account",
    "mail",
    "act",
    "deactivation",
    "reassignment",
    "stranded_work_order",
    "attempt",
    "run_row",
    "drift",
)


def reads_all_of_a_big_table(line: str) -> bool:
    """A line of a plan, of either database."""
    without_index = "INDEX" not in line.upper() or "autoindex" in line
    return without_index and any(f"{word} {name}" in line for word in ("SCAN", "Scan on") for name in BIG)


def analyse(db: Database) -> None:
    """So that the planner knows how many rows there are."""
    with db.write() as tx:
        tx.connection.execute(text("ANALYZE"))
