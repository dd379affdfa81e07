"""A small world to crash in: our database, fakes behind the ports, a clock that is moved, and every state Keycloak
ever held. It can be put aside and made anew as often as there are points to crash at.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias, TypeVar

from mappings import load
from sync.commands.accounts.change import create
from sync.commands.accounts.initial_password import InitialPassword
from sync.domain.access import vocabulary
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import NewAccount
from sync.domain.work.lane import Lane
from sync.jobs.mail import send_some
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.schedule.sweep import sweep
from sync.jobs.systems import Systems
from sync.ports.field_service import Technician
from sync.store.accounts.listing import list_accounts
from sync.store.accounts.query import AccountQuery
from sync.store.audit.timeline import read_timeline
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database, Tx
from tests.callers import wanted_by
from tests.chaos.crash_copies import Copies
from tests.commands.imports.import_sites import import_site
from tests.fakes.accounts import FakeAccounts, FakeUser
from tests.fakes.credentials import FakeCredentials
from tests.fakes.field_service import FakeFieldService
from tests.fakes.mailer import FakeMailer
from tests.fakes.signals import FakeClock, FakeWake

T = TypeVar("T")

POLICY = load()
BRANCH = next(branch for branch in POLICY.branches.values() if branch.teams)
BY = wanted_by("dana", "because the test says so")
STEPS = (61, 11, 310, 310)
"""Seconds until somebody looks again, one after the other: past a lease, past what a request of its holder can
take, past an access token's life, and that once more for whoever was looked after late."""


Told: TypeAlias = tuple[str, str, str, tuple[str, ...]]


@dataclass(frozen=True)
class State:
    """What one Keycloak user gives its owner at one moment. `tokens` are the live refresh tokens."""

    enabled: bool
    groups: frozenset[str]
    technician_id: str | None
    tokens: frozenset[str]

    @classmethod
    def of(cls, user: FakeUser) -> State:
        [technician_id] = user.attributes.get("technician_id", (None,))
        return cls(user.enabled, frozenset(user.groups), technician_id, frozenset(user.tokens))

    @property
    def access(self) -> frozenset[str]:
        """What the user may do. The second factor is a demand on it and gives nothing."""
        if not self.enabled:
            return frozenset()
        groups = self.groups - {vocabulary.SECOND_FACTOR}
        return groups | ({f"technician {self.technician_id}"} if self.technician_id else set())


@dataclass(frozen=True)
class Remembering:
    """Keycloak's accounts that also remember what each user was after every call; `states` by account id."""

    fake: FakeAccounts
    states: dict[str, list[State]] = field(default_factory=dict)

    def __getattr__(self, method: str) -> Any:
        found = getattr(self.fake, method)
        return (lambda *given, **named: self._then(found(*given, **named))) if callable(found) else found

    def _then(self, answer: T) -> T:
        for user in self.fake.users.values():
            states = self.states.setdefault(str(user.account_id), [])
            if (now := State.of(user)) not in states[-1:]:
                states.append(now)
        return answer


@dataclass(frozen=True)
class Foreign:
    """The foreign systems and the time: what does not end with a process."""

    keycloak: FakeAccounts
    credentials: FakeCredentials
    fsm: FakeFieldService
    mailer: FakeMailer
    wake: FakeWake
    clock: FakeClock

    @classmethod
    def new(cls) -> Foreign:
        accounts, fsm = FakeAccounts(POLICY), FakeFieldService(POLICY.work_orders)
        return cls(accounts, FakeCredentials(accounts), fsm, FakeMailer(), FakeWake(), FakeClock())

    def copy(self) -> Foreign:
        """Another world of the same state; the policy never changes and is shared."""
        shared = (POLICY, *(getattr(POLICY, part.name) for part in fields(POLICY)))
        return copy.deepcopy(self, {id(each): each for each in shared})


@cache
def base_site() -> Systems:
    """Systems as other tests of use cases have it, for whatever is not of interest here."""
    with TemporaryDirectory() as folder, import_site(f"sqlite:///{folder}/base.db") as systems:
        return systems


@dataclass(frozen=True)
class Place:
    """One world. `told` counts the entries of all timelines when it began, by account, kind, title and details."""

    systems: Systems
    foreign: Foreign
    states: Mapping[str, list[State]]
    told: Counter[Told]

    @classmethod
    def at(cls, url: str, foreign: Foreign, key: str, told: Counter[Told]) -> Place:
        remembering = Remembering(foreign.keycloak)
        remembering._then(None)
        accounts: Any = remembering
        systems = replace(
            base_site(),
            db=Database(url, Sealer([key])),
            policy=POLICY,
            accounts=accounts,
            bulk_accounts=accounts,
            credentials=foreign.credentials,
            field_service=foreign.fsm,
            mailer=foreign.mailer,
            wake=foreign.wake,
            clock=foreign.clock,
        )
        return cls(systems, foreign, remembering.states, told)

    def read(self, query: Callable[[Tx], T]) -> T:
        with self.systems.db.read() as tx:
            return query(tx)

    def write(self, command: Callable[[Tx], T]) -> T:
        with self.systems.db.write() as tx:
            return command(tx)

    def join(self, name: str = "jo.lind", **wanted: str | None) -> Account:
        """A new account, stored and not yet in Keycloak."""
        return self.write(lambda tx: create(tx, POLICY, joiner(name, **wanted), BY, self.now(), password=PASSWORD))

    def join_technician(self, technician_id: str = "T-1", name: str = "tess.tal") -> Account:
        """An active technician with a record in the FSM system, settled in Keycloak."""
        self.foreign.fsm.add(Technician(technician_id, name, None, assignable=True))
        account = self.join(
            name, profile="technician", technician_id=technician_id, employee_number=f"E-{technician_id}"
        )
        self.settle()
        return account

    def now(self) -> Any:
        return self.foreign.clock.now()

    def user(self, account_id: str) -> FakeUser:
        """The one user in Keycloak that carries the account's id."""
        [user] = [user for user in self.foreign.keycloak.users.values() if user.account_id == account_id]
        return user

    def settle(self) -> None:
        """The world goes on: time passes, the sweep looks, workers do what is due."""
        work(self.systems)
        for seconds in STEPS:
            self.pass_time(seconds)
            sweep(self.systems)
            work(self.systems)

    def pass_time(self, seconds: float) -> None:
        self.foreign.clock.advance(timedelta(seconds=seconds))

    def close(self) -> None:
        self.systems.db.close()


def told_by(tx: Tx) -> Counter[Told]:
    """The entries of all timelines."""
    return Counter(
        (listed.account.id, entry.kind, entry.title, entry.details)
        for listed in list_accounts(tx, Scope.all(), AccountQuery(limit=100)).items
        for entry in read_timeline(tx, listed.account.id)
    )


PASSWORD = InitialPassword("temporary-secret-of-the-test", "mail")


def joiner(name: str = "jo.lind", **wanted: str | None) -> NewAccount:
    given, _, family = name.partition(".")
    values: dict[str, Any] = {
        "email": f"{name}@example.com",
        "given_name": given.title(),
        "family_name": family.title(),
        "profile": "dispatcher",
        "branch": BRANCH.key,
        **wanted,
    }
    return NewAccount(**values)


def work(systems: Systems) -> None:
    """What one worker of every lane does until nothing is due: the tasks of workers.tasks, in one process."""
    while provision_some(systems, Lane.INTERACTIVE):
        pass
    while apply_chunk(systems) + provision_some(systems, Lane.BULK):
        pass
    while send_some(systems):
        pass


@dataclass
class Prepared:
    """A world put aside, of which copies are made."""

    copies: Copies
    key: str
    prepare: Callable[[Place], Any]
    subject: Any = None
    _foreign: Foreign | None = None
    _url: str = ""
    _told: Counter[Told] = field(default_factory=Counter)

    def make(self) -> None:
        """Bring the world about once."""
        self._url, self._foreign = self.copies.empty(), Foreign.new()
        place = Place.at(self._url, self._foreign, self.key, Counter())
        with closing(place):
            self.subject = self.prepare(place)
            self._told = place.read(told_by)

    def again(self) -> Place:
        """The world as it was prepared, untouched."""
        assert self._foreign is not None
        return Place.at(self.copies.copy(self._url), self._foreign.copy(), self.key, self._told)
