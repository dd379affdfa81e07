"""The audit trail cannot be changed, and the timeline tells an account's story in order (A7, G1)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sync.domain.access.callers import key_of
from sync.domain.access.cause import Cause, Origin
from sync.domain.accounts.account import Life
from sync.domain.deactivation.gate import GatePolicy, OpenWorkOrder
from sync.domain.provisioning.change import Create
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.audit import trail
from sync.store.audit.timeline import read_timeline
from sync.store.database.transactions import Database
from sync.store.deactivation import deactivations
from sync.store.mail import outbox
from sync.store.provisioning import due, finishing
from sync.store.provisioning.finishing import Finished
from sync.store.work import account_claims
from sync.store.work.lease_rows import Terms
from tests.callers import granted, machine, wanted_by
from tests.claiming import still_claimed
from tests.store.conftest import MakeAccount


@pytest.mark.supports("G1")
@pytest.mark.parametrize("statement", ["UPDATE audit SET reason = 'another'", "DELETE FROM audit"])
def test_an_audit_entry_cannot_be_changed_or_removed(
    db: Database, by: Cause, now: datetime, statement: str
) -> None:
    """The database itself refuses, whoever asks."""
    with db.write() as tx:
        trail.audit(tx, account_id=None, action="look", changed={}, by=by, now=now)
    with pytest.raises(DBAPIError, match="append-only"), db.write() as tx:
        tx.connection.execute(text(statement))
    with db.read() as tx:
        assert tx.connection.execute(text("SELECT reason FROM audit")).scalar_one() == by.reason


@pytest.mark.postgres
@pytest.mark.supports("G1")
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_the_audit_trail_cannot_be_emptied(db: Database, by: Cause, now: datetime) -> None:
    """TRUNCATE is refused like DELETE."""
    with db.write() as tx:
        trail.audit(tx, account_id=None, action="look", changed={}, by=by, now=now)
    with pytest.raises(DBAPIError, match="append-only"), db.write() as tx:
        tx.connection.execute(text("TRUNCATE audit"))


@pytest.mark.supports("A7")
def test_assignments_keep_who_when_door_and_why(
    db: Database, make_account: MakeAccount, by: Cause, now: datetime
) -> None:
    """Each assignment stands with all four, the oldest first."""
    account = make_account(profile="technician", branch="north", technician_id="T-1")
    with db.write() as tx:
        accounts.insert(tx, granted(account))
        trail.record_assignments(tx, [account], by, now)
        trail.record_assignments(
            tx, [account], wanted_by("payroll", "rule 7", Origin.IMPORT), now + timedelta(seconds=1)
        )
    with db.read() as tx:
        first, second = trail.assignments(tx, account.id)
    assert (first.at, first.by, first.door, first.reason) == (now, "kim", "command line", "joins the team")
    assert (first.profile, first.branch, first.technician_id) == ("technician", "north", "T-1")
    assert (second.by, second.door, second.reason) == ("payroll", "command line, import", "rule 7")
    assert (first.caller, second.caller) == (key_of(by.caller), key_of(machine("payroll")))


@pytest.mark.supports("E6", "H3", "A7")
def test_the_timeline_tells_the_story_in_order(
    db: Database, make_account: MakeAccount, by: Cause, now: datetime
) -> None:
    """From the wish over the mail and the hold to what was done in Keycloak; another account's is not in it."""
    account, other = make_account(), make_account()
    order = OpenWorkOrder("WO-1", "scheduled", "Contoso", None, ("lead",))

    def at(minutes: int) -> datetime:
        return now + timedelta(minutes=minutes)

    with db.write() as tx:
        for each in (account, other):
            accounts.insert(tx, granted(each))
            trail.audit(
                tx, account_id=each.id, action="create", changed={"life": (None, Life.ACTIVE)}, by=by, now=now
            )
        outbox.enqueue(tx, account.id, kind="welcome", recipient=account.email, expires_at=None, now=now)
        due.mark_due(tx, account.id, Lane.BULK, now)
        [claim] = account_claims.claim(tx, Lane.BULK, Terms(now, lease=timedelta(minutes=5)), 1)
        finishing.finish(
            tx, claim, Finished("applied", 1, None, 0, changes=(Create("jo", "jo@example.com", ()),)), at(1)
        )
        outbox.make_due(tx, [still_claimed(account.id)], at(1))
        [mail] = outbox.claim(tx, Terms(at(2), lease=timedelta(minutes=1)), 5)
        outbox.finish(tx, mail, "sent", at(2))
        trail.audit(
            tx,
            account_id=account.id,
            action="deactivate",
            changed={"life": (Life.ACTIVE, Life.INACTIVE)},
            by=by,
            now=at(3),
        )
        asked = deactivations.request(
            tx, granted(account, by=by), policy=GatePolicy.HOLD, deadline=None, after_deadline="person", now=at(3)
        )
        deactivations.hold(tx, still_claimed(account.id), asked.id, (order,), at(4))
        deactivations.hold(tx, still_claimed(account.id), asked.id, (order,), at(5))
        deactivations.complete(tx, still_claimed(account.id), asked.id, at(6))
    with db.read() as tx:
        told = [(entry.at, entry.title, entry.details) for entry in read_timeline(tx, account.id)]
    assert told == [
        (now, "create", ("life: active",)),
        (now, f"welcome mail to {account.email} waits", ()),
        (at(1), "applied (version 1)", ("create",)),
        (at(2), f"welcome mail to {account.email} sent", ()),
        (at(3), "deactivate", ("life: active -> inactive",)),
        (at(4), "deactivation held", ("WO-1 (scheduled, Contoso, no date, as lead)",)),
        (at(6), "deactivation completed", ()),
    ]


@pytest.mark.supports("G1")
def test_what_one_request_did_hangs_together(db: Database, by: Cause, now: datetime) -> None:
    """Entries of one run carry its id; an entry alone carries its own."""
    with db.write() as tx:
        alone = trail.audit(tx, account_id=None, action="a", changed={}, by=by, now=now)
        trail.audit(tx, account_id=None, action="b", changed={}, by=by, now=now, correlation_id="run-1")
        stored = tx.connection.execute(text("SELECT correlation_id FROM audit ORDER BY id")).scalars().all()
    assert stored == [alone, "run-1"]
