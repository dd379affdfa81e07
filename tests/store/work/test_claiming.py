"""The claim: one worker an account, fenced by a token, nothing lost when a worker dies (H1)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from sync.domain.provisioning.change import JoinGroup
from sync.domain.work.lane import Lane
from sync.store.database.tables import provisioning as provisioning_table
from sync.store.database.transactions import Database
from sync.store.operations import figures
from sync.store.provisioning import observations, work_state
from sync.store.work import account_claims, lease_rows
from sync.store.work.lease_rows import Terms
from tests.store.claims import LEASE, attempts_of, claim_all, claim_one, finish, seen, store
from tests.store.conftest import MakeAccount


@pytest.mark.supports("H1")
def test_a_claim_carries_the_account_and_what_is_wanted(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """Everything the worker needs comes with the claim."""
    account = store(db, make_account(), now)
    claim = claim_one(db, now)
    assert claim.account == account
    assert (claim.wanted_version, claim.applied_version) == (1, None)
    assert claim.lease.until == claim.claimed_until == now + LEASE
    assert not claim.took_over


@pytest.mark.supports("H1")
def test_the_longest_due_come_first_and_no_more_than_asked(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """Claims take the oldest work of their lane, what is due later or in another lane stays."""
    late = store(db, make_account(), now - timedelta(minutes=1))
    early = store(db, make_account(), now - timedelta(minutes=5))
    middle = store(db, make_account(), now - timedelta(minutes=3))
    store(db, make_account(), now + timedelta(minutes=1))
    click = store(db, make_account(), now, Lane.INTERACTIVE)
    assert [each.account for each in claim_all(db, now, limit=2)] == [early, middle]
    assert [each.account for each in claim_all(db, now, limit=2)] == [late]
    assert [each.account for each in claim_all(db, now, Lane.INTERACTIVE)] == [click]


@pytest.mark.supports("H1")
def test_what_is_claimed_is_nobody_elses_until_the_lease_is_over(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """While the lease runs nobody gets the account; afterwards the next one knows it took over."""
    store(db, make_account(), now)
    first = claim_one(db, now)
    assert claim_all(db, now + LEASE - timedelta(microseconds=1)) == ()
    second = claim_one(db, now + LEASE)
    assert second.took_over
    assert second.lease.token != first.lease.token


@pytest.mark.supports("H1")
def test_a_lost_lease_writes_nothing(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """A worker that comes back late changes neither the work, nor the observation, nor the timeline; it only asks
    for one more look, because a request of its own may have come late too."""
    account = store(db, make_account(), now)
    late = claim_one(db, now)
    claim_one(db, now + LEASE)
    with db.read() as tx:
        before = tx.connection.execute(select(provisioning_table)).one()
    assert not finish(db, late, now + LEASE, observed=seen(account), changes=(JoinGroup("/fsm/x"),))
    with db.write() as tx:
        assert not lease_rows.extend(tx, late.lease, now + 2 * LEASE)
        assert not account_claims.release(tx, late)
    with db.read() as tx:
        after = tx.connection.execute(select(provisioning_table)).one()
        assert after._asdict() == before._asdict() | {"asked": before.asked + 1}
        assert observations.last(tx, account.id) is None
    assert attempts_of(db, account) == []


@pytest.mark.supports("D6", "H1")
def test_a_lost_lease_asks_for_another_look(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """However late the slow worker's last request came: after its word somebody looks at Keycloak once more."""
    store(db, make_account(), now)
    late = claim_one(db, now)
    assert finish(db, claim_one(db, now + LEASE), now + LEASE)
    assert claim_all(db, now + 2 * LEASE) == ()
    assert not finish(db, late, now + 2 * LEASE)
    assert finish(db, claim_one(db, now + 2 * LEASE), now + 2 * LEASE)
    assert claim_all(db, now + timedelta(days=1)) == ()


@pytest.mark.supports("H1")
def test_an_extended_lease_holds_longer(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """Who extends in time keeps the account."""
    store(db, make_account(), now)
    claim = claim_one(db, now)
    with db.write() as tx:
        assert lease_rows.extend(tx, claim.lease, now + 2 * LEASE)
    assert claim_all(db, now + LEASE) == ()
    assert finish(db, claim, now + LEASE)


@pytest.mark.supports("H1")
def test_a_released_claim_is_free_at_once(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """A worker that stops gives back what it has not begun, and the next one did not take over."""
    store(db, make_account(), now)
    with db.write() as tx:
        (claim,) = account_claims.claim(tx, Lane.BULK, Terms(now), 5)
        assert account_claims.release(tx, claim)
    assert not claim_one(db, now).took_over


@pytest.mark.supports("H1")
@pytest.mark.parametrize("outcome", ["given back", "retry"])
def test_a_takeover_is_known_until_the_account_is_as_wanted(
    db: Database, make_account: MakeAccount, now: datetime, outcome: str
) -> None:
    """The one that took over has no time for it, or fails: what the dead worker left half done may still be
    there, so the next one has to know as well."""
    store(db, make_account(), now)
    claim_one(db, now)
    second = claim_one(db, now + LEASE)
    if outcome == "given back":
        with db.write() as tx:
            assert account_claims.release(tx, second)
    else:
        assert finish(db, second, now + LEASE, outcome="retry", due_at=now + LEASE)
    third = claim_one(db, now + LEASE)
    assert third.took_over
    assert finish(db, third, now + LEASE, due_at=now + 2 * LEASE)
    assert not claim_one(db, now + 2 * LEASE).took_over


@pytest.mark.supports("H3")
def test_the_backlog_counts_what_waits_and_what_is_worked_on(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """Operators see count and age for each lane; the sweep sees which lanes to wake."""
    for minutes in (1, 9, 5):
        store(db, make_account(), now - timedelta(minutes=minutes))
    claim_all(db, now, limit=1)
    with db.read() as tx:
        lanes = {each.lane: each for each in figures.read(tx, now).lanes}
        assert account_claims.due_lanes(tx, now) == (Lane.BULK,)
        assert set(account_claims.due_lanes(tx, now - timedelta(hours=1))) == set()
    bulk, interactive = lanes[Lane.BULK], lanes[Lane.INTERACTIVE]
    assert (bulk.due, bulk.leased, bulk.oldest_due_at) == (2, 1, now - timedelta(minutes=5))
    assert (interactive.due, interactive.leased, interactive.oldest_due_at) == (0, 0, None)


@pytest.mark.supports("F5")
def test_versions_of_a_whole_company_are_read(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """More accounts than one statement of either database takes parameters: an all-or-nothing run asks so."""
    account = store(db, make_account(), now)
    with db.read() as tx:
        found = work_state.wanted_versions(tx, [account.id, *(f"nobody-{number}" for number in range(70_000))])
    assert found == {account.id: 1}
