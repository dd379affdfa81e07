"""The outbox: a mail waits for its account, goes once, and never with a secret that has expired (F7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from sync.domain.accounts.account import Account
from sync.store.accounts import accounts
from sync.store.database.transactions import Database
from sync.store.mail import outbox
from sync.store.mail.outbox import MailClaim
from sync.store.work import lease_rows
from sync.store.work.lease_rows import Terms
from tests.callers import granted
from tests.claiming import still_claimed

LEASE = timedelta(minutes=2)


@pytest.fixture
def account(db: Database, make_account: Callable[..., Account], now: datetime) -> Account:
    """An account with a welcome mail that waits and expires after three days."""
    person = make_account()
    with db.write() as tx:
        accounts.insert(tx, granted(person))
        outbox.enqueue(
            tx, person.id, kind="welcome", recipient=person.email, expires_at=now + timedelta(days=3), now=now
        )
    return person


def claim(db: Database, now: datetime) -> tuple[MailClaim, ...]:
    with db.write() as tx:
        return outbox.claim(tx, Terms(now), 10)


def state(db: Database) -> str:
    with db.read() as tx:
        return str(tx.connection.execute(text("SELECT state FROM mail")).scalar_one())


@pytest.mark.supports("F7")
def test_a_mail_waits_until_its_account_is_in_keycloak(db: Database, account: Account, now: datetime) -> None:
    """Before that nobody gets it; afterwards it is claimed once and sent once."""
    assert claim(db, now) == ()
    with db.write() as tx:
        assert not outbox.any_due(tx, now)
        assert outbox.make_due(tx, [still_claimed(account.id)], now) == 1
        assert outbox.make_due(tx, [still_claimed(account.id)], now) == 0
        assert outbox.any_due(tx, now)
    [mail] = claim(db, now)
    assert (mail.account, mail.recipient, mail.kind, mail.attempts) == (account, account.email, "welcome", 0)
    assert not mail.taken_over
    assert claim(db, now) == ()
    with db.write() as tx:
        assert outbox.finish(tx, mail, "sent", now)
        assert not outbox.finish(tx, mail, "sent", now)
    assert claim(db, now + timedelta(days=1)) == ()
    assert state(db) == "sent"


@pytest.mark.supports("F7", "H1")
def test_a_mail_whose_sender_died_says_so(db: Database, account: Account, now: datetime) -> None:
    """The next one knows it may have left already, and the dead one's late word does not count."""
    with db.write() as tx:
        outbox.make_due(tx, [still_claimed(account.id)], now)
    [first] = claim(db, now)
    with db.write() as tx:
        lease_rows.take_over(tx, now + LEASE, timedelta())
    [second] = claim(db, now + LEASE)
    assert second.taken_over
    assert second.message_id == first.message_id
    with db.write() as tx:
        assert not outbox.finish(tx, first, "sent", now + LEASE)
        assert outbox.finish(tx, second, "failed", now + LEASE, error="not known whether it left")
    assert state(db) == "failed"


@pytest.mark.supports("F7", "H2")
def test_a_mail_is_tried_again_at_its_time(db: Database, account: Account, now: datetime) -> None:
    """With the same Message-ID, and the tries are counted."""
    with db.write() as tx:
        outbox.make_due(tx, [still_claimed(account.id)], now)
    [first] = claim(db, now)
    later = now + timedelta(minutes=5)
    with db.write() as tx:
        outbox.finish(tx, first, "retry", now, due_at=later, error="transient: 451")
    assert claim(db, later - timedelta(seconds=1)) == ()
    [second] = claim(db, later)
    assert (second.attempts, second.message_id, second.taken_over) == (1, first.message_id, False)


@pytest.mark.supports("F7")
def test_an_expired_mail_never_goes(db: Database, account: Account, now: datetime) -> None:
    """Its password is worth nothing any more: it is not claimed, and marked."""
    with db.write() as tx:
        outbox.make_due(tx, [still_claimed(account.id)], now)
    late = now + timedelta(days=3)
    assert claim(db, late) == ()
    with db.write() as tx:
        assert not outbox.any_due(tx, late)
        assert outbox.expire(tx, late - timedelta(seconds=1)) == 0
        assert outbox.expire(tx, late) == 1
    assert state(db) == "expired"


@pytest.mark.supports("F7")
def test_a_mail_that_is_being_sent_does_not_expire_under_the_sender(
    db: Database, account: Account, now: datetime
) -> None:
    """While a worker holds it, its end is the worker's to say."""
    with db.write() as tx:
        outbox.make_due(tx, [still_claimed(account.id)], now)
    last_moment = now + timedelta(days=3) - timedelta(seconds=1)
    [mail] = claim(db, last_moment)
    with db.write() as tx:
        assert outbox.expire(tx, last_moment + timedelta(seconds=30)) == 0
        assert outbox.finish(tx, mail, "sent", last_moment + timedelta(seconds=31))


def test_only_a_retry_has_a_due_time(db: Database, account: Account, now: datetime) -> None:
    """A retry without a time would never come again."""
    with db.write() as tx:
        outbox.make_due(tx, [still_claimed(account.id)], now)
    [mail] = claim(db, now)
    with pytest.raises(ValueError, match="due time"), db.write() as tx:
        outbox.finish(tx, mail, "retry", now)
