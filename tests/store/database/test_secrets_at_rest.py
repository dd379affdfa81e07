"""Temporary passwords: unreadable in the database, rotated keys, gone after use (B1, rule: secrets-go)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from sync.domain.accounts.account import Account
from sync.domain.errors import Misconfigured
from sync.store.accounts import accounts, passwords
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from tests.callers import granted
from tests.claiming import still_claimed

SECRET = "k7mn-9xqz-geheim"


@pytest.fixture
def account(db: Database, make_account: Callable[..., Account], now: datetime) -> Account:
    """An account whose temporary password is kept for a mail, for an hour."""
    person = make_account()
    with db.write() as tx:
        accounts.insert(tx, granted(person))
        passwords.keep(tx, person.id, SECRET, "mail", now + timedelta(hours=1))
    return person


@pytest.mark.supports("B1")
def test_a_kept_password_is_unreadable_in_the_database(db: Database, account: Account, now: datetime) -> None:
    """The stored bytes do not contain it; who may open it gets it back, and no repr shows it."""
    with db.read() as tx:
        sealed = bytes(tx.connection.execute(text("SELECT sealed FROM initial_password")).scalar_one())
        kept = passwords.kept(tx, account.id, now)
    assert SECRET.encode() not in sealed
    assert kept is not None
    assert (kept.password, kept.delivery) == (SECRET, "mail")
    assert SECRET not in repr(kept)


@pytest.mark.supports("B1", "C1")
def test_an_expired_password_is_not_given_and_is_erased(db: Database, account: Account, now: datetime) -> None:
    """From its time on nobody gets it, and the sweep removes it."""
    end = now + timedelta(hours=1)
    with db.write() as tx:
        assert passwords.kept(tx, account.id, end) is None
        assert passwords.erase_expired(tx, end - timedelta(seconds=1)) == 0
        assert passwords.erase_expired(tx, end) == 1


@pytest.mark.supports("B1")
def test_what_was_shown_goes_and_what_must_be_mailed_stays(db: Database, account: Account, now: datetime) -> None:
    """Who asks for it first sees it, in its time; of a user with a password of its own nobody needs one."""
    end = now + timedelta(hours=1)
    with db.write() as tx:
        assert passwords.take_shown(tx, granted(account), now) is None
        passwords.erase_shown(tx, still_claimed(account.id))
        assert passwords.kept(tx, account.id, now) is not None
        passwords.keep(tx, account.id, "another", "shown", end)
        assert passwords.take_shown(tx, granted(account), end) is None
        assert passwords.take_shown(tx, granted(account), now) == "another"
        assert passwords.take_shown(tx, granted(account), now) is None
        passwords.keep(tx, account.id, "another", "shown", end)
        passwords.erase_shown(tx, still_claimed(account.id))
        assert passwords.kept(tx, account.id, now) is None


@pytest.mark.supports("J3")
def test_keys_can_be_rotated() -> None:
    """What an older key sealed is opened while that key is still in the list; new things get the newest."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = Sealer([old]).seal(SECRET)
    both = Sealer([new, old])
    assert both.open(sealed) == SECRET
    assert Sealer([new]).open(both.seal(SECRET)) == SECRET
    with pytest.raises(Misconfigured, match="FSM_SECRET_KEYS") as caught:
        Sealer([new]).open(sealed)
    assert SECRET not in str(caught.value)


@pytest.mark.supports("J3")
@pytest.mark.parametrize("keys", [[], ["short"], [Fernet.generate_key().decode(), "not a key, but hush"]])
def test_wrong_keys_are_named_and_not_shown(keys: list[str]) -> None:
    """The message says which key is wrong, never what it is."""
    with pytest.raises(Misconfigured, match="FSM_SECRET_KEYS") as caught:
        Sealer(keys)
    assert not any(key in str(caught.value) for key in keys)


def test_a_sealer_does_not_show_its_keys() -> None:
    """Nor does the database that holds one."""
    key = Fernet.generate_key().decode()
    sealer = Sealer([key])
    database = Database("sqlite:////tmp/hush-hush.db", sealer)
    assert key not in repr(sealer)
    assert "hush" not in repr(database)
