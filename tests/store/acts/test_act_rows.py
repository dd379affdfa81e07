"""One-shot acts as rows: in order, once, and their passwords gone when nobody needs them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from sync.domain.access.granted import GrantedAccount
from sync.domain.accounts.account import Account
from sync.domain.acts import Act, ActKind, ActState, Found
from sync.domain.provisioning.observed import LockState
from sync.domain.work.lane import Lane
from sync.store import acts
from sync.store.accounts import accounts
from sync.store.database.ids import new_id
from sync.store.database.tables import act as table
from sync.store.database.transactions import Database
from sync.store.mail import outbox
from sync.store.provisioning import due, finishing
from sync.store.provisioning.finishing import Finished, Stuck
from sync.store.work import account_claims, lease_rows
from sync.store.work.lease_rows import Terms
from tests.callers import granted, wanted_by
from tests.claiming import still_claimed

LEASE = timedelta(seconds=60)
SECRET = "abcd-efgh-jkmn-pqrs-tuvw-xyz2"


@pytest.fixture
def account(db: Database, make_account: Callable[..., Account], now: datetime) -> Account:
    """One that is stored and due."""
    made = make_account()
    with db.write() as tx:
        accounts.insert(tx, granted(made))
        due.mark_due(tx, made.id, Lane.INTERACTIVE, now)
    return made


KIM = wanted_by("kim", "forgot it")


def let(account: Account) -> GrantedAccount:
    return granted(account, account, KIM)


def asked(account: Account, kind: ActKind, now: datetime, **fields: object) -> Act:
    values = {"due_at": now, "by": KIM} | fields
    return Act(new_id(now), account.id, kind, now, **values)  # type: ignore[arg-type]


@pytest.mark.supports("C1", "C6")
def test_a_act_comes_back_as_it_was_stored(db: Database, account: Account, now: datetime) -> None:
    """With all that was asked; the password only sealed."""
    reset = asked(account, ActKind.RESET_PASSWORD, now, by_mail=True, expires_at=now + LEASE)
    factor = asked(account, ActKind.RESET_SECOND_FACTOR, now, keep_sessions=True, identity_check="by phone")
    expiry = asked(account, ActKind.EXPIRE_PASSWORD, now, stamp=now, lane=Lane.BULK)
    with db.write() as tx:
        acts.add(tx, let(account), reset, SECRET)
        acts.add(tx, let(account), factor)
        acts.add(tx, let(account), expiry)
        assert acts.of_account(tx, account.id) == (reset, factor, expiry)
        sealed = tx.connection.scalar(select(table.c.sealed).where(table.c.id == reset.id))
        assert SECRET.encode() not in sealed
        kept = acts.password_of(tx, reset.id)
        assert kept is not None
        assert (kept.password, kept.expires_at) == (SECRET, now + LEASE)
        assert SECRET not in repr(kept)


@pytest.mark.supports("H1")
def test_a_act_started_twice_keeps_its_first_start(db: Database, account: Account, now: datetime) -> None:
    """By that time and what was found then, a takeover tells what the first worker had done."""
    unlock = asked(account, ActKind.UNLOCK, now)
    found = Found(LockState(permanent=True, failures=4), now, ("one",))
    with db.write() as tx:
        acts.add(tx, let(account), unlock)
        acts.start(tx, still_claimed(unlock.account_id), unlock.id, found, now)
        again = acts.start(tx, still_claimed(unlock.account_id), unlock.id, Found(), now + LEASE)
    assert (again.state, again.started_at, again.found) == (ActState.STARTED, now, found)


@pytest.mark.supports("H2")
def test_a_act_put_off_stays_started_unless_it_was_certainly_not_done(
    db: Database, account: Account, now: datetime
) -> None:
    """A mail that Keycloak said it did not send may be sent; one in doubt may not."""
    one, other = (asked(account, ActKind.SET_PASSWORD_MAIL, now) for _ in range(2))
    with db.write() as tx:
        for each in (one, other):
            acts.add(tx, let(account), each)
            acts.start(tx, still_claimed(each.account_id), each.id, Found(), now)
        acts.put_off(tx, still_claimed(one.account_id), one.id, now + LEASE, "no answer", certainly_not_done=False)
        acts.put_off(
            tx, still_claimed(other.account_id), other.id, now + LEASE, "refused", certainly_not_done=True
        )
        stays, waits = acts.open_for_many(tx, [account.id])[account.id]
    assert (stays.state, stays.attempts, stays.outcome) == (ActState.STARTED, 1, "no answer")
    assert (waits.state, waits.started_at, waits.found) == (ActState.WAITING, None, None)


@pytest.mark.supports("C1", "G1")
@pytest.mark.parametrize("state", [ActState.DONE, ActState.FAILED])
def test_the_password_goes_with_the_end(db: Database, account: Account, now: datetime, state: ActState) -> None:
    """Shown ones are needed by nobody any more; and an act ends once."""
    reset = asked(account, ActKind.RESET_PASSWORD, now, expires_at=now + LEASE)
    with db.write() as tx:
        acts.add(tx, let(account), reset, SECRET)
        assert acts.finish(tx, still_claimed(reset.account_id), reset.id, state, "so it was", now)
        assert acts.password_of(tx, reset.id) is None
        assert not acts.finish(tx, still_claimed(reset.account_id), reset.id, ActState.FAILED, "too late", now)
        ended = acts.get(tx, reset.id)
    assert ended is not None
    assert (ended.state, ended.outcome, ended.finished_at) == (state, "so it was", now)


@pytest.mark.supports("C1")
def test_a_password_for_a_mail_stays_until_it_left_or_its_time_is_up(
    db: Database, account: Account, now: datetime
) -> None:
    """Then nothing of it is left in our database."""
    resets = [asked(account, ActKind.RESET_PASSWORD, now, expires_at=now + LEASE) for _ in range(2)]
    with db.write() as tx:
        sent, unsent = (
            outbox.enqueue(
                tx, account.id, kind="password reset", recipient="x@example.com", expires_at=None, now=now
            )
            for _ in resets
        )
        for reset, mail in zip(resets, (sent, unsent), strict=True):
            acts.add(tx, let(account), reset, SECRET)
            acts.finish(tx, still_claimed(reset.account_id), reset.id, ActState.DONE, "done", now, mail_id=mail)
            kept = acts.password_of_mail(tx, mail)
            assert kept is not None
            assert kept.password == SECRET
        acts.erase_password_of_mail(tx, still_claimed(sent))
        assert acts.password_of_mail(tx, sent) is None
        assert acts.erase_expired(tx, now) == 0
        assert acts.erase_expired(tx, now + LEASE) == 1
        assert acts.password_of_mail(tx, unsent) is None


@pytest.mark.supports("H1")
def test_a_claim_brings_the_open_acts(db: Database, account: Account, now: datetime) -> None:
    """In their order, and not those that have ended."""
    first, ended, last = (asked(account, ActKind.UNLOCK, now) for _ in range(3))
    with db.write() as tx:
        for each in (first, ended, last):
            acts.add(tx, let(account), each)
        acts.finish(tx, still_claimed(ended.account_id), ended.id, ActState.DONE, "done", now)
        [claim] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(now), 1)
    assert [each.id for each in claim.acts] == [first.id, last.id]


@pytest.mark.supports("H1")
def test_a_lost_lease_holds_nothing(db: Database, account: Account, now: datetime) -> None:
    """Who comes back after a takeover writes nothing about the act."""
    with db.write() as tx:
        [lost] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(now), 1)
        assert lease_rows.still_claimed(tx, lost.lease)
        lease_rows.take_over(tx, now + LEASE, timedelta())
        [taken] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(now + LEASE), 1)
        assert not lease_rows.still_claimed(tx, lost.lease)
        assert lease_rows.still_claimed(tx, taken.lease)


@pytest.mark.supports("D6", "H2")
def test_a_quarantined_account_is_claimed_for_what_opens_no_way_in(
    db: Database, account: Account, now: datetime
) -> None:
    """Its sessions can be ended; the unlock waits; and without an act it is left alone."""
    with db.write() as tx:
        [claim] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(now), 1)
        finishing.finish(tx, claim, quarantined(), now)
        acts.add(tx, let(account), asked(account, ActKind.UNLOCK, now))
        assert not account_claims.any_quarantined(tx, now)
        assert account_claims.claim_quarantined(tx, Terms(now), 1) == ()
        acts.add(tx, let(account), asked(account, ActKind.END_SESSIONS, now))
        assert account_claims.any_quarantined(tx, now)
        [urgent] = account_claims.claim_quarantined(tx, Terms(now), 1)
        assert account_claims.claim_quarantined(tx, Terms(now), 1) == ()
        assert len(urgent.acts) == 2
        assert account_claims.release(tx, urgent)
        assert account_claims.any_quarantined(tx, now)


@pytest.mark.supports("C1", "H1")
def test_a_act_whose_time_comes_later_is_not_overlooked(db: Database, account: Account, now: datetime) -> None:
    """Nobody is going to look at the account by then; one that is due is looked at anyway."""
    with db.write() as tx:
        acts.add(
            tx, let(account), asked(account, ActKind.EXPIRE_PASSWORD, now, due_at=now + LEASE, lane=Lane.BULK)
        )
        assert acts.overlooked(tx, now + LEASE, 10) == {}
        [claim] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(now), 1)
        finishing.finish(tx, claim, Finished("applied", 1, None, 0), now)
        assert acts.overlooked(tx, now, 10) == {}
        assert acts.overlooked(tx, now + LEASE, 10) == {account.id: Lane.BULK}
        acts.add(tx, let(account), asked(account, ActKind.UNLOCK, now))
        assert acts.overlooked(tx, now + LEASE, 10) == {account.id: Lane.INTERACTIVE}


def quarantined() -> Finished:
    return Finished("quarantined", None, None, 1, Stuck("needs-person", "user-deleted", "look at it"))
