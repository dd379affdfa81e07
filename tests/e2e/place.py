"""The main job's real parts under a test's hand: our database, a realm, the FSM database, and no Celery.

A test does what workers do by calling the same function, so that it can stand between any two steps.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, delete, insert, update

from examples.browser import Browser
from examples.fsm_database import APPOINTMENT, CREW, WORK_ORDER, assign
from sync.commands.accounts.change import create
from sync.commands.accounts.initial_password import InitialPassword, generate
from sync.commands.deactivation.deactivate import deactivate, reactivate
from sync.commands.perform import perform
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import NewAccount
from sync.domain.deactivation.gate import GatePolicy, OpenWorkOrder
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.systems import Systems
from sync.ports.field_service import FieldService
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.provisioning import work_state
from sync.store.provisioning.work_state import WorkState
from sync.store.work import lease_rows
from tests.callers import wanted_by
from tests.realms import PASSWORD, ConfiguredRealm

T = TypeVar("T")

APP = "field-app"
BY = wanted_by("dana", "the test wants it so")


@dataclass
class OffsetClock:
    """The real time and whatever a test lets pass."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True)
class User:
    """What Keycloak's administrator sees of a user; `offline` are the clients that hold an offline token."""

    enabled: bool
    groups: frozenset[str]
    technician_id: str | None
    sessions: int
    offline: frozenset[str]


@dataclass
class Technician:
    """An account with its technician record, logged in: an offline token on the phone, a session in a browser."""

    account: Account
    id: str
    browser: Browser = field(repr=False)
    offline: dict[str, Any] = field(repr=False)
    online: dict[str, Any] = field(repr=False)

    def refreshes(self) -> tuple[int, int]:
        """The statuses with which the offline and the online refresh token are answered now."""
        answers = self.browser.refresh(self.offline), self.browser.refresh(self.online)
        return answers[0].status_code, answers[1].status_code


@dataclass
class Place:
    systems: Systems
    realm: ConfiguredRealm
    clock: OffsetClock
    fsm: Engine
    fsm_file: Path
    used: int = 20
    """Technician records up to this one are left as the example database has them."""

    def read(self, query: Callable[[Tx], T]) -> T:
        with self.systems.db.read() as tx:
            return query(tx)

    def do(self, command: Callable[[Tx], T]) -> T:
        """A command behind the door: nobody looks early."""
        return perform(self.systems, command, wakes=Lane.INTERACTIVE)

    def work(self) -> None:
        """What a woken worker does."""
        while provision_some(self.systems, Lane.INTERACTIVE):
            pass

    def pass_time(self, seconds: float) -> None:
        """The sweep has come as well, and what ended workers held waits no more."""
        self.clock.ahead += timedelta(seconds=seconds)
        with self.systems.db.write() as tx:
            lease_rows.take_over(tx, self.clock.now(), timedelta())

    def account(self, account: Account) -> Account:
        found = self.read(lambda tx: accounts.get(tx, account.id))
        assert found is not None
        return found

    def state(self, account: Account) -> WorkState:
        found = self.read(lambda tx: work_state.of_account(tx, account.id))
        assert found is not None
        return found

    def leave(self, account: Account, policy: GatePolicy) -> None:
        """Want the account inactive, as a door does after its early look."""
        now = self.clock.now()
        self.do(lambda tx: deactivate(tx, self.systems.policy, account.id, policy, BY, now))

    def come_back(self, account: Account) -> None:
        self.do(lambda tx: reactivate(tx, self.systems.policy, account.id, BY, self.clock.now()))
        self.work()

    def join(self, technician_id: str | None) -> tuple[Account, str]:
        """A field worker's account in Keycloak, linked to the record if one is named, and its first password."""
        name = f"t{secrets.token_hex(4)}"
        new = NewAccount(
            email=f"{name}@example.com",
            given_name="Kim",
            family_name=name.title(),
            profile="technician",
            branch="hamburg",
            team="hamburg-heizung",
            technician_id=technician_id,
            employee_number=name,
        )
        password = generate()
        shown = InitialPassword(password, "shown")
        account = self.do(
            lambda tx: create(tx, self.systems.policy, new, BY, self.clock.now(), password=shown),
        )
        self.work()
        return self.account(account), password

    def technician(self, technician_id: str | None = None) -> Technician:
        """Somebody at work, by default with a technician record that no other test uses and no open work."""
        technician_id = technician_id or self.free_technician()
        account, password = self.join(technician_id)
        phone, desk = self.browser(), self.browser()
        page = phone.log_in(account.username, password, scope="openid offline_access")
        page = phone.submit(page, **{"password-new": PASSWORD, "password-confirm": PASSWORD})
        offline = phone.tokens(page)
        online = desk.tokens(desk.log_in(account.username, PASSWORD))
        return Technician(account, technician_id, phone, offline, online)

    def browser(self) -> Browser:
        return Browser(self.realm.url, self.realm.realm, APP)

    def free_technician(self) -> str:
        """A record whose work the test decides on alone."""
        self.used += 1
        technician_id = f"T-{self.used:04d}"
        with self.fsm.begin() as connection:
            for table in (CREW, APPOINTMENT):
                connection.execute(delete(table).where(table.c.technician == technician_id))
            led = WORK_ORDER.c.lead_technician == technician_id
            connection.execute(update(WORK_ORDER).where(led).values(lead_technician=None))
        return technician_id

    def new_work_order(self) -> str:
        """An open work order that nobody has. The answer is its id and its number."""
        number = f"WO-{secrets.token_hex(4)}"
        row = {
            "id": number,
            "number": number,
            "status": "scheduled",
            "customer": "Hotel Zur Mühle",
            "task": "Wartung",
            "due_on": date(2026, 3, 5),
        }
        with self.fsm.begin() as connection:
            connection.execute(insert(WORK_ORDER).values(row))
        return number

    def give_work(self, technician_id: str, count: int = 1) -> tuple[str, ...]:
        """As the FSM system does it. Raises NotAssignable."""
        numbers = tuple(sorted(self.new_work_order() for _ in range(count)))
        for number in numbers:
            assign(self.fsm, number, technician_id)
        return numbers

    def close_work(self, *numbers: str) -> None:
        with self.fsm.begin() as connection:
            chosen = WORK_ORDER.c.number.in_(numbers)
            connection.execute(update(WORK_ORDER).where(chosen).values(status="completed"))

    def user(self, account: Account) -> User:
        """Asked as Keycloak's own administrator."""
        at = f"users/{account.idp_user_id}"
        found: Mapping[str, Any] = self.realm.get(at)
        consents = self.realm.get(f"{at}/consents")
        return User(
            enabled=found["enabled"],
            groups=frozenset(group["path"] for group in self.realm.get(f"{at}/groups")),
            technician_id=(found["attributes"].get("technician_id") or [None])[0],
            sessions=len(self.realm.get(f"{at}/sessions")),
            offline=frozenset(each["clientId"] for each in consents if each["additionalGrants"]),
        )


@dataclass
class Overheard:
    """The FSM database, with somebody listening to what the gate asks it."""

    real: FieldService
    before_stop: Callable[[], None] = lambda: None
    none_open: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def stop_assignments(self, technician_id: str, stop_id: str) -> None:
        self.before_stop()
        self.real.stop_assignments(technician_id, stop_id)

    def open_work_orders(self, technician_id: str) -> Sequence[OpenWorkOrder]:
        found = self.real.open_work_orders(technician_id)
        if not found:
            self.none_open()
        return found
