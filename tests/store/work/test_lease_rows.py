"""One lease for all that is claimed: until when a holder has it, and how it goes to another (H1)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import ColumnElement, select

from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE, SIGN_EVERY, SILENT_AFTER
from sync.settings import KeycloakSettings
from sync.store.database.clock import TOLERATED
from sync.store.database.tables import metadata, process
from sync.store.database.tables import provisioning as work
from sync.store.database.transactions import Database
from sync.store.work import account_claims, lease_rows, processes
from sync.store.work.account_claims import Claim
from sync.store.work.lease_rows import Terms
from tests.store.claims import finish, store
from tests.store.conftest import MakeAccount

pytestmark = pytest.mark.supports("H1")

REQUEST = timedelta(seconds=10)


def claim(db: Database, now: datetime, holder: str | None = None) -> tuple[Claim, ...]:
    with db.write() as tx:
        return account_claims.claim(tx, Lane.BULK, Terms(now, holder), 1)


def take_over(db: Database, now: datetime) -> int:
    with db.write() as tx:
        return lease_rows.take_over(tx, now, REQUEST)


def gives_a_sign(db: Database, now: datetime) -> None:
    with db.write() as tx:
        processes.lives(tx, "p-1", "worker-1", 7, now)


def test_every_table_with_claims_has_its_rule() -> None:
    leased = {table.name for table in metadata.tables.values() if "lease_token" in table.c}
    assert leased == set(lease_rows._LEASED)


def test_twice_the_longest_request_and_the_clocks_fit_in_a_lease() -> None:
    """Whoever begins a request with half a lease left has ended it before anybody takes the lease away."""
    [at_most] = [
        limit.le for limit in KeycloakSettings.model_fields["timeout_seconds"].metadata if hasattr(limit, "le")
    ]
    assert 2 * timedelta(seconds=at_most) + TOLERATED <= LEASE <= timedelta(seconds=60)
    assert SILENT_AFTER >= 3 * SIGN_EVERY


def test_nobody_claims_what_was_not_taken_away(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """However long the lease is over: first its token goes, then one request's time passes."""
    store(db, make_account(), now)
    [first] = claim(db, now)
    over = now + LEASE
    assert claim(db, over) == ()
    assert take_over(db, over - timedelta(microseconds=1)) == 0
    assert take_over(db, over) == 1
    assert take_over(db, over) == 0, "it is nobody's now"
    with db.write() as tx:
        assert lease_rows.still_claimed(tx, first.lease) is None
    with db.read() as tx:
        assert account_claims.due_lanes(tx, over) == (), "and nobody need be woken for it yet"
        with pytest.raises(ValueError, match="only reads"):
            lease_rows.still_claimed(tx, first.lease)
    assert claim(db, over + REQUEST - timedelta(microseconds=1)) == ()
    [second] = claim(db, over + REQUEST)
    assert second.took_over
    assert second.takeovers == 1


def test_a_process_that_fell_silent_loses_what_it_holds_at_once(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """Killed or frozen: nobody waits for the end of its leases."""
    store(db, make_account(), now)
    gives_a_sign(db, now)
    assert claim(db, now, "p-1")
    assert take_over(db, now + SILENT_AFTER - timedelta(microseconds=1)) == 0
    assert take_over(db, now + SILENT_AFTER) == 1
    assert claim(db, now + SILENT_AFTER + REQUEST)


def test_a_process_that_gives_signs_keeps_what_it_holds(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """Until its lease is over: one that hangs over its work gives signs as well."""
    store(db, make_account(), now)
    assert claim(db, now, "p-1")
    gives_a_sign(db, now + LEASE - SIGN_EVERY)
    assert take_over(db, now + LEASE - timedelta(microseconds=1)) == 0
    assert take_over(db, now + LEASE) == 1


def test_a_process_that_ended_in_good_order_is_not_waited_for(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """But for the time in which it may have sent without asking."""
    store(db, make_account(), now)
    gives_a_sign(db, now)
    assert claim(db, now, "p-1")
    with db.write() as tx:
        processes.ends(tx, "p-1")
    assert take_over(db, now + SILENT_AFTER - timedelta(microseconds=1)) == 0
    assert take_over(db, now + SILENT_AFTER) == 1


def test_whoever_claimed_or_kept_something_just_now_lives(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """Our database was away, so nobody's signs came; the first sweep afterwards takes nothing from the living."""
    store(db, make_account(), now)
    gives_a_sign(db, now - timedelta(minutes=2))
    [held] = claim(db, now, "p-1")
    assert take_over(db, now + SIGN_EVERY) == 0
    kept = now + SILENT_AFTER - SIGN_EVERY
    with db.write() as tx:
        assert lease_rows.extend(tx, held.lease, kept + LEASE)
    assert take_over(db, kept + SILENT_AFTER - timedelta(microseconds=1)) == 0
    assert take_over(db, kept + SILENT_AFTER) == 1


def test_whoever_gives_no_signs_has_its_lease(db: Database, make_account: MakeAccount, now: datetime) -> None:
    store(db, make_account(), now)
    assert claim(db, now)
    assert take_over(db, now + LEASE - timedelta(microseconds=1)) == 0


def test_what_is_given_back_is_free_at_once(db: Database, make_account: MakeAccount, now: datetime) -> None:
    store(db, make_account(), now)
    [held] = claim(db, now, "p-1")
    assert finish(db, held, now, due_at=now)
    assert take_over(db, now) == 0
    assert claim(db, now)
    columns: list[ColumnElement[object]] = [work.c.held_by, work.c.takeovers]
    with db.read() as tx:
        assert tx.connection.execute(select(*columns)).one() == (None, 0)


def test_the_silent_are_forgotten_after_an_hour(db: Database, now: datetime) -> None:
    gives_a_sign(db, now)
    with db.write() as tx:
        processes.lives(tx, "p-2", "worker-2", 8, now + timedelta(hours=1, seconds=1))
    with db.read() as tx:
        assert tx.connection.scalars(select(process.c.id)).all() == ["p-2"]
