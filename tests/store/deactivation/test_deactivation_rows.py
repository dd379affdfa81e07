"""Deactivations from request to end, and the list of work orders that need another technician (D4, D5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from sync.domain.access.cause import Cause
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import changed_fields
from sync.domain.deactivation.gate import GatePolicy, OpenWorkOrder
from sync.domain.deactivation.request import DeactivationState, OpenDeactivation, TechnicianChange
from sync.domain.errors import Refused
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.database.transactions import Database
from sync.store.deactivation import assignment_stops, deactivations
from sync.store.provisioning import due
from sync.store.work import account_claims
from sync.store.work.lease_rows import Terms
from tests.callers import granted
from tests.claiming import still_claimed
from tests.store.conftest import MakeAccount

FIRST = OpenWorkOrder("WO-1", "scheduled", "Contoso", date(2026, 4, 1), ("lead", "appointment"))
SECOND = OpenWorkOrder("WO-2", "waiting", "Fabrikam", None, ("crew",))


def request(db: Database, account: Account, by: Cause, now: datetime) -> OpenDeactivation:
    with db.write() as tx:
        return deactivations.request(
            tx,
            granted(account, by=by),
            policy=GatePolicy.HOLD,
            deadline=now + timedelta(days=14),
            after_deadline="force",
            now=now,
        )


@pytest.fixture
def account(db: Database, make_account: MakeAccount) -> Account:
    """A technician of the branch north."""
    technician = make_account(technician_id="T-1", branch="north")
    with db.write() as tx:
        accounts.insert(tx, granted(technician))
    return technician


@pytest.mark.supports("D4")
def test_a_request_comes_back_whole_and_with_the_claim(
    db: Database, account: Account, by: Cause, now: datetime
) -> None:
    """The worker that claims the account sees policy, deadline and who asked."""
    asked = request(db, account, by, now)
    with db.write() as tx:
        assert deactivations.open_for(tx, account.id) == asked
        due.mark_due(tx, account.id, Lane.INTERACTIVE, now)
        [claim] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(now, lease=timedelta(minutes=1)), 1)
    assert claim.deactivation == asked
    assert asked.by == by
    assert (asked.deadline, asked.after_deadline) == (now + timedelta(days=14), "force")


@pytest.mark.supports("B4", "D4")
def test_a_change_comes_back_with_what_was_before(
    db: Database, account: Account, by: Cause, now: datetime
) -> None:
    """Names, dates and the company's own attributes, so that a refusal can undo all of it."""
    before = replace(account, attributes={"van": "12"})
    after = replace(before, technician_id=None, valid_until=date(2026, 7, 31), attributes={})
    with db.write() as tx:
        asked = deactivations.request(
            tx,
            granted(after, before, by=by),
            policy=GatePolicy.REFUSE,
            deadline=None,
            after_deadline="person",
            now=now,
            change=TechnicianChange("T-1", changed_fields(before, after)),
        )
        found = deactivations.open_for(tx, account.id)
    assert found == asked
    assert found is not None
    assert found.undone(after) == before
    later = replace(after, valid_until=date(2027, 1, 1), team="blue")
    assert found.undone(later) == replace(before, valid_until=date(2027, 1, 1), team="blue")


@pytest.mark.supports("D4")
def test_an_account_has_one_open_deactivation(
    db: Database, account: Account, make_account: MakeAccount, by: Cause, now: datetime
) -> None:
    """A second request is refused until the first has ended; who may end another account's ends not this one."""
    first = request(db, account, by, now)
    with pytest.raises(Refused, match="open already"):
        request(db, account, by, now)
    with db.write() as tx:
        assert not deactivations.cancel(tx, first.id, granted(make_account()), now)
        assert deactivations.cancel(tx, first.id, granted(account), now)
    assert request(db, account, by, now).id != first.id


@pytest.mark.supports("D4")
@pytest.mark.parametrize("end", ["complete", "refuse", "cancel"])
def test_what_has_ended_stays_ended(db: Database, account: Account, by: Cause, now: datetime, end: str) -> None:
    """A worker that comes late with another end changes nothing."""
    asked = request(db, account, by, now)
    with db.write() as tx:
        ended = {
            "refuse": lambda: deactivations.refuse(tx, still_claimed(asked.account_id), asked.id, (FIRST,), now),
            "cancel": lambda: deactivations.cancel(tx, asked.id, granted(account), now),
            "complete": lambda: deactivations.complete(tx, still_claimed(asked.account_id), asked.id, now),
        }
        assert ended[end]()
        assert not deactivations.hold(tx, still_claimed(asked.account_id), asked.id, (FIRST,), now)
        assert not deactivations.complete(tx, still_claimed(asked.account_id), asked.id, now)
        assert deactivations.open_for(tx, account.id) is None
        assert deactivations.list_held(tx, Scope.all()) == ()


@pytest.mark.supports("D4", "H3")
def test_a_hold_shows_since_when_and_what_stands_in_the_way(
    db: Database, account: Account, by: Cause, now: datetime
) -> None:
    """The time of the first hold stays, the work orders are those of the last look."""
    asked = request(db, account, by, now)
    with db.write() as tx:
        deactivations.hold(tx, still_claimed(asked.account_id), asked.id, (FIRST, SECOND), now)
        deactivations.hold(tx, still_claimed(asked.account_id), asked.id, (SECOND,), now + timedelta(hours=1))
    with db.read() as tx:
        [kept] = deactivations.list_held(tx, Scope.of_branch("north"))
        assert deactivations.list_held(tx, Scope.of_branch("south")) == ()
    assert (kept.account, kept.held_at) == (account, now)
    assert kept.deactivation.work_orders == (SECOND,)
    assert kept.deactivation.state is DeactivationState.HELD


@pytest.mark.supports("D4", "D5")
def test_stranded_work_orders_are_listed_until_reassigned(db: Database, account: Account, now: datetime) -> None:
    """Listed once however often they are found, off the list when reassigned, on it again if they come back."""
    with db.write() as tx:
        deactivations.strand(tx, still_claimed(account.id), "T-1", (FIRST, SECOND), now)
        deactivations.strand(tx, still_claimed(account.id), "T-1", (FIRST,), now + timedelta(minutes=5))
    with db.read() as tx:
        listed = deactivations.stranded(tx, Scope.all())
        assert deactivations.stranded(tx, Scope.of_branch("south")) == ()
    assert [(each.technician_id, each.work_order, each.found_at) for each in listed] == [
        ("T-1", FIRST, now),
        ("T-1", SECOND, now),
    ]
    assert listed[0].account == account
    with db.write() as tx:
        assert deactivations.resolve_stranded(tx, {still_claimed(): "T-2"}, now) == 0
        assert deactivations.resolve_stranded(tx, {still_claimed(): "T-1"}, now) == 2
        assert deactivations.stranded(tx, Scope.all()) == ()
        deactivations.strand(tx, still_claimed(account.id), "T-1", (FIRST,), now)
        assert [each.work_order for each in deactivations.stranded(tx, Scope.all())] == [FIRST]


@pytest.mark.supports("D3")
def test_only_a_stop_of_ours_is_known(db: Database, account: Account, now: datetime) -> None:
    """Remembered twice is once; forgotten is gone."""
    with db.write() as tx:
        assert not assignment_stops.ours(tx, ["T-1"])
        assignment_stops.remember(tx, "T-1", account.id, now)
        assignment_stops.remember(tx, "T-1", account.id, now)
        assert assignment_stops.ours(tx, ["T-1"])
        assignment_stops.forget(tx, still_claimed(), "T-1")
        assert not assignment_stops.ours(tx, ["T-1"])
