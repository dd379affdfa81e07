"""The audit chain in both databases: who waits, in which order numbers are given, and that links stay (G1)."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sync.domain.access.cause import Cause
from sync.domain.audit.verifying import Verified, verify
from sync.store.audit import chain, listing, trail
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from tests.claiming import JOB

pytestmark = pytest.mark.supports("G1")


def write(db: Database, by: Cause, now: datetime, *actions: str) -> None:
    with db.write() as tx:
        for action in actions:
            trail.audit(tx, account_id=None, action=action, changed={"name": (None, "Zoë 😀")}, by=by, now=now)


def chain_all(db: Database, now: datetime) -> int:
    with db.write() as tx:
        return chain.chain_some(tx, JOB, now)


def verified(db: Database) -> Verified:
    with db.read() as tx:
        return verify(chain.links(tx), {}, chain.strangers(tx))


def test_what_was_written_waits_and_is_chained_once(db: Database, by: Cause, now: datetime) -> None:
    """The columns of either database give the text that was hashed."""
    write(db, by, now, "a", "b")
    with db.read() as tx:
        assert chain.waiting(tx) == chain.Waiting(2, now)
    assert (chain_all(db, now), chain_all(db, now)) == (2, 0)
    write(db, by, now, "c")
    assert chain_all(db, now) == 1
    found = verified(db)
    assert (found.whole, found.head.number) == (True, 3)
    with db.read() as tx:
        assert chain.waiting(tx) == chain.Waiting(0, None)
        assert [each.number for each in listing.entries(tx, None, listing.AuditQuery())] == [3, 2, 1]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_an_entry_that_is_seen_late_is_chained_late(db: Database, by: Cause, now: datetime) -> None:
    """Its id is older than one that was chained before its commit."""
    written, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        with db.write() as tx:
            trail.audit(tx, account_id=None, action="slow", changed={}, by=by, now=now)
            written.set()
            go_on.wait(10)

    thread = threading.Thread(target=slowly)
    thread.start()
    assert written.wait(10)
    write(db, by, now + timedelta(seconds=1), "quick")
    assert chain_all(db, now) == 1
    go_on.set()
    thread.join(10)
    assert chain_all(db, now) == 1
    with db.read() as tx:
        told = [(each.number, each.action) for each in listing.entries(tx, None, listing.AuditQuery())]
    assert told == [(1, "quick"), (2, "slow")]
    assert verified(db).whole


@pytest.mark.parametrize("statement", ["UPDATE audit_chain SET hash = 'another'", "DELETE FROM audit_chain"])
def test_a_link_cannot_be_changed_or_removed(db: Database, by: Cause, now: datetime, statement: str) -> None:
    """The database itself refuses."""
    write(db, by, now, "a")
    chain_all(db, now)
    with pytest.raises(DBAPIError, match="append-only"), db.write() as tx:
        tx.connection.execute(text(statement))
    assert verified(db).whole


def test_pages_are_read_on(db: Database, by: Cause, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, a page at a time is in memory."""
    monkeypatch.setattr(chain, "PAGE", 3)
    write(db, by, now, *"abcdefg")
    assert [chain_all(db, now) for _ in range(3)] == [3, 3, 1]
    assert verified(db).head.number == 7


def test_entries_of_before_an_upgrade_are_chained(
    database_url: str, sealer: Sealer, by: Cause, now: datetime
) -> None:
    """In the order of their ids, each once; going back takes the chain and leaves the entries."""
    schema.upgrade(database_url)
    db = Database(database_url, sealer)
    write(db, by, now, "a", "b")
    schema.downgrade(database_url, "r005")
    write(db, by, now, "c")
    schema.upgrade(database_url)
    write(db, by, now, "d")
    assert chain_all(db, now) == 4
    with db.read() as tx:
        told = [(each.number, each.action) for each in listing.entries(tx, None, listing.AuditQuery())]
    assert told == [(4, "d"), (3, "c"), (2, "b"), (1, "a")]
    assert verified(db).whole
    db.close()
