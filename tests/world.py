"""Systems for use cases: our real database, fakes behind the ports, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography.fernet import Fernet

from mappings import load
from sync.adapters.mail import messages
from sync.commands.accounts.change import create
from sync.commands.accounts.initial_password import InitialPassword
from sync.commands.deactivation.deactivate import deactivate
from sync.commands.mappings.in_force import adopt_first
from sync.commands.perform import perform
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import NewAccount
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.systems import Systems
from sync.ports.field_service import Technician
from sync.store.accounts import accounts as account_rows
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database, Tx
from sync.store.work import lease_rows
from tests.callers import wanted_by
from tests.company import company
from tests.fakes.accounts import FakeAccounts, FakeUser
from tests.fakes.adoption import FakeAdoption
from tests.fakes.answering import FakeAnswering
from tests.fakes.credentials import FakeCredentials
from tests.fakes.events import FakeAdminEvents, FakeLoginEvents
from tests.fakes.field_service import FakeFieldService
from tests.fakes.listing import FakeListing
from tests.fakes.mailer import FakeMailer
from tests.fakes.signals import FakeClock, FakeWake

T = TypeVar("T")

POLICY = load()
BRANCH = next(branch for branch in POLICY.branches.values() if branch.teams)
BY = wanted_by("dana", "because the test says so")
FIRST = wanted_by("dana", "first start: there were none in force")


@dataclass
class World:
    """The Systems and the fakes behind it, with the few verbs the tests are written in."""

    systems: Systems
    accounts: FakeAccounts
    credentials: FakeCredentials
    logins: FakeLoginEvents
    admins: FakeAdminEvents
    answering: FakeAnswering
    fsm: FakeFieldService
    mailer: FakeMailer
    wake: FakeWake
    clock: FakeClock
    path: Path

    def do(self, command: Callable[[Tx], T]) -> T:
        return perform(self.systems, command, wakes=Lane.INTERACTIVE)

    def read(self, query: Callable[[Tx], T]) -> T:
        with self.systems.db.read() as tx:
            return query(tx)

    def work(self, lane: Lane = Lane.INTERACTIVE) -> None:
        """Let a worker drain the lane."""
        while provision_some(self.systems, lane):
            pass

    def pass_time(self, seconds: float) -> None:
        """The sweep, which comes every few seconds, has come: what ended workers held can be claimed, for a
        request takes no time here."""
        self.clock.advance(timedelta(seconds=seconds))
        with self.systems.db.write() as tx:
            lease_rows.take_over(tx, self.clock.now(), self.systems.longest_request)

    def join(self, name: str = "jo.lind", **wanted: Any) -> Account:
        """A new account, stored and not yet in Keycloak."""
        given, _, family = name.partition(".")
        values: dict[str, Any] = {
            "email": f"{name}@example.com",
            "given_name": given.title(),
            "family_name": family.title(),
            "profile": "dispatcher",
            "branch": BRANCH.key,
            **wanted,
        }
        new = NewAccount(**values)
        password = InitialPassword("temporary-secret-of-the-test", "mail")
        return self.do(lambda tx: create(tx, self.systems.policy, new, BY, self.clock.now(), password=password))

    def join_technician(self, technician_id: str = "T-1", name: str = "tess.tal") -> Account:
        """An active technician with a record in the FSM system, brought into Keycloak."""
        self.fsm.add(Technician(technician_id, name, None, assignable=True))
        account = self.join(
            name, profile="technician", technician_id=technician_id, employee_number=f"E-{technician_id}"
        )
        self.work()
        return account

    def user(self, account: Account) -> FakeUser:
        """What Keycloak holds for the account."""
        [user] = [user for user in self.accounts.users.values() if user.account_id == account.id]
        return user


def leave(world: World, account_id: str, gate: GatePolicy) -> None:
    """The account is wanted inactive from now on."""
    world.do(lambda tx: deactivate(tx, POLICY, account_id, gate, BY, world.clock.now()))


def set_up(url: str) -> None:
    """Our tables in an empty database, and the shipped mapping files in force."""
    schema.upgrade(url)
    db = Database(url, Sealer([Fernet.generate_key().decode()]))
    adopt_first(db, None, FIRST, datetime.now(UTC))
    db.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of this version, to be copied."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    schema.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def world(migrated: Path, tmp_path: Path) -> World:
    path = tmp_path / "world.db"
    path.write_bytes(migrated.read_bytes())
    accounts = FakeAccounts(POLICY)
    credentials = FakeCredentials(accounts)
    fsm = FakeFieldService(POLICY.work_orders)
    mailer, wake, clock = FakeMailer(), FakeWake(), FakeClock()
    logins, admins, answering = FakeLoginEvents(clock), FakeAdminEvents(clock), FakeAnswering()
    systems = Systems(
        db=Database(f"sqlite:///{path}", Sealer([Fernet.generate_key().decode()])),
        policy=POLICY,
        accounts=accounts,
        bulk_accounts=accounts,
        credentials=credentials,
        login_events=logins,
        admin_events=admins,
        listing=FakeListing(accounts),
        adoption=FakeAdoption(accounts),
        answering=answering,
        field_service=fsm,
        mailer=mailer,
        wake=wake,
        clock=clock,
        longest_request=timedelta(),
        welcome_letter=partial(messages.welcome, login_url="https://login.example.com/"),
        reset_letter=partial(messages.password_reset, login_url="https://login.example.com/"),
    )
    return World(systems, accounts, credentials, logins, admins, answering, fsm, mailer, wake, clock, path)


@pytest.fixture
def people(world: World) -> list[Account]:
    """Three accounts, as wanted in Keycloak."""
    made = [world.join(name) for name in ("ann.arno", "ben.berg", "cem.cohn")]
    world.work()
    return [world.read(lambda tx, each=each: account_rows.get(tx, each.id)) for each in made]  # type: ignore[misc]


@pytest.fixture
def at_work(world: World, tmp_path: Path) -> World:
    """The world of a company that has attributes of its own (`tests.company`)."""
    (tmp_path / "mappings").mkdir()
    world.systems = replace(world.systems, policy=company(tmp_path / "mappings"))
    return world
