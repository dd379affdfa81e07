"""What is written down about a claim: the outcome, what was seen, and whether somebody looks again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.provisioning.change import Create, Disable, LeaveGroup
from sync.domain.provisioning.observed import LockState, Sessions
from sync.domain.work.lane import Lane
from sync.store.audit.timeline import read_timeline
from sync.store.database.transactions import Database
from sync.store.provisioning import due, observations, work_state
from sync.store.provisioning.finishing import Stuck
from tests.callers import allowed
from tests.store.claims import ORDER, attempts_of, claim_all, claim_one, finish, seen, store
from tests.store.conftest import MakeAccount


@pytest.mark.supports("H1")
def test_a_finished_claim_cannot_be_finished_twice(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """The token is spent with the first finish."""
    account = store(db, make_account(), now)
    claim = claim_one(db, now)
    assert finish(db, claim, now, changes=(Create("jo", "jo@example.com", ()),))
    assert not finish(db, claim, now, changes=(Create("jo", "jo@example.com", ()),))
    assert attempts_of(db, account) == [(1, "applied")]


@pytest.mark.supports("H1")
def test_a_change_during_the_work_leaves_the_account_due(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """The worker finishes the version it saw; the newer one is due now and keeps nothing of the older's end."""
    account = store(db, make_account(), now)
    claim = claim_one(db, now)
    with db.write() as tx:
        assert due.mark_due(tx, account.id, Lane.INTERACTIVE, now) == 2
    assert finish(
        db,
        claim,
        now,
        outcome="quarantined",
        applied_version=None,
        attempts=7,
        quarantine=Stuck("conflict", "name-taken", "taken"),
    )
    again = claim_one(db, now, Lane.INTERACTIVE)
    assert (again.wanted_version, again.attempts) == (2, 0)


@pytest.mark.supports("H1", "D5")
def test_a_look_asked_for_during_the_work_is_not_lost(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """Work orders reassigned while the worker reads the old ones: it looks again, at once, not in a minute."""
    account = store(db, make_account(), now)
    claim = claim_one(db, now)
    with db.write() as tx:
        assert due.look_again(tx, account.id, Lane.INTERACTIVE, now)
    finish(db, claim, now, outcome="held", due_at=now + timedelta(minutes=1), held_work_orders=(ORDER,))
    again = claim_one(db, now, Lane.INTERACTIVE)
    assert again.wanted_version == 1


@pytest.mark.supports("H1")
def test_looking_again_never_makes_it_later(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """The earlier of two times counts, and nothing else is wanted of the account."""
    account = store(db, make_account(), now)
    with db.write() as tx:
        due.look_again(tx, account.id, Lane.BULK, now + timedelta(hours=1))
    assert finish(db, claim_one(db, now), now)
    with db.write() as tx:
        due.look_again(tx, account.id, Lane.BULK, now + timedelta(hours=1))
        due.look_again(tx, account.id, Lane.BULK, now + timedelta(hours=2))
    assert claim_all(db, now + timedelta(minutes=59)) == ()
    assert claim_one(db, now + timedelta(hours=1)).wanted_version == 1


@pytest.mark.supports("H3")
def test_a_click_is_not_put_behind_an_import(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """Work that waits in the interactive lane stays there when an import touches the account too."""
    account = store(db, make_account(), now, Lane.INTERACTIVE)
    with db.write() as tx:
        due.mark_due(tx, account.id, Lane.BULK, now)
    finish(db, claim_one(db, now, Lane.INTERACTIVE), now)
    with db.write() as tx:
        due.mark_due(tx, account.id, Lane.BULK, now)
    assert claim_one(db, now, Lane.BULK).wanted_version == 3


@pytest.mark.supports("H2", "H3")
def test_quarantine_waits_for_a_person(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """Nobody claims it, a look does not lift it; a person's retry or a new wish does."""
    account = store(db, make_account(), now)
    finish(
        db,
        claim_one(db, now),
        now,
        outcome="quarantined",
        applied_version=None,
        quarantine=Stuck("conflict", "name-taken", "the name is taken"),
        attempts=1,
    )
    with db.write() as tx:
        due.look_again(tx, account.id, Lane.BULK, now)
    assert claim_all(db, now) == ()
    with db.read() as tx:
        state = work_state.of_account(tx, account.id)
    assert state is not None
    assert state.quarantine == ("conflict", "the name is taken")
    with db.write() as tx:
        assert due.lift_quarantine(tx, allowed(), account.id, Lane.INTERACTIVE, now)
        assert not due.lift_quarantine(tx, allowed(), account.id, Lane.INTERACTIVE, now)
    assert claim_one(db, now, Lane.INTERACTIVE).attempts == 0


@pytest.mark.supports("H3")
def test_the_timeline_does_not_fill_with_looks(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """Two weeks of a hold are one line until the work orders change; the first success of a version is a line."""
    account = store(db, make_account(), now)
    later = OpenWorkOrder("WO-2", "scheduled", "Contoso", None, ("crew",))
    for orders in ((ORDER,), (ORDER,), (ORDER,), (ORDER, later), (ORDER, later)):
        finish(db, claim_one(db, now), now, outcome="held", due_at=now, held_work_orders=orders)
    finish(db, claim_one(db, now), now, due_at=now, changes=(Disable(),))
    finish(db, claim_one(db, now), now, due_at=now)
    finish(db, claim_one(db, now), now, due_at=now, changes=(LeaveGroup("/fsm/x"),))
    with db.write() as tx:
        due.mark_due(tx, account.id, Lane.BULK, now)
    finish(db, claim_one(db, now), now)
    assert attempts_of(db, account) == [
        (1, "held"),
        (1, "held"),
        (1, "applied"),
        (1, "applied"),
        (2, "applied"),
    ]
    with db.read() as tx:
        details = [entry.details for entry in read_timeline(tx, account.id)]
    assert details[1] == ("2 open work orders: WO-1, WO-2",)


@pytest.mark.supports("D4", "H2")
def test_a_failed_look_keeps_what_holds(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """FSM cannot be asked: the work orders of the last look stay shown; success clears them."""
    account = store(db, make_account(), now)
    finish(db, claim_one(db, now), now, outcome="held", due_at=now, held_work_orders=(ORDER,))
    finish(db, claim_one(db, now), now, outcome="retry", due_at=now, attempts=1, error="transient: no answer")
    with db.read() as tx:
        state = work_state.of_account(tx, account.id)
    assert state is not None
    assert (state.held_work_orders, state.attempts) == ((ORDER,), 1)
    finish(db, claim_one(db, now), now)
    with db.read() as tx:
        state = work_state.of_account(tx, account.id)
    assert state is not None
    assert state.held_work_orders == ()
    assert state.applied


@pytest.mark.supports("A8")
def test_the_observation_is_kept_without_names(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """The state of the user comes back as it was seen; names and addresses are not stored a second time."""
    account = store(db, make_account(family_name="Rumpelstilz", email="r@example.com"), now)
    finish(db, claim_one(db, now), now, observed=seen(account))
    with db.read() as tx:
        observation = observations.last(tx, account.id)
        raw = tx.connection.execute(text("SELECT state FROM observation")).scalar_one()
    assert observation is not None
    assert observation.observed_at == now
    assert observation.lock == LockState(temporary=True, failures=5)
    assert observation.sessions == Sessions(online=2, offline_clients=frozenset({"mobile"}))
    assert observation.required_actions == {"UPDATE_PASSWORD"}
    assert "Rumpelstilz" not in str(raw)
    assert "example.com" not in str(raw)
