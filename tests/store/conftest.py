"""A migrated database, an account to put into it, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet

from sync.domain.access.cause import Cause
from sync.domain.accounts.account import Account, Life
from sync.store.database import schema
from sync.store.database.ids import new_id
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from tests.callers import wanted_by

MakeAccount = Callable[..., Account]

NOW = datetime(2026, 3, 2, 8, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """The time at which a test begins."""
    return NOW


@pytest.fixture
def sealer() -> Sealer:
    """A sealer with a key of this test's own."""
    return Sealer([Fernet.generate_key().decode()])


@pytest.fixture
def db(database_url: str, sealer: Sealer) -> Iterator[Database]:
    """Our database with the tables of this version, empty."""
    schema.upgrade(database_url)
    database = Database(database_url, sealer)
    yield database
    database.close()


@pytest.fixture
def by() -> Cause:
    """Who asks, in these tests."""
    return wanted_by("kim", "joins the team")


@pytest.fixture
def make_account() -> MakeAccount:
    """Makes an account that differs from every other one in what must be unique."""
    made = iter(range(1, 1_000_000))

    def make(**given: object) -> Account:
        number = next(made)
        values: dict[str, object] = {
            "id": new_id(NOW),
            "username": f"person{number:06}",
            "email": f"person{number:06}@example.com",
            "given_name": "Pat",
            "family_name": f"Number{number}",
            "profile": "dispatcher",
            "branch": "north",
            "team": None,
            "data_access": None,
            "technician_id": None,
            "employee_number": f"{number:06}",
            "life": Life.ACTIVE,
            "created_at": NOW,
        }
        return Account(**(values | given))  # type: ignore[arg-type]

    return make
