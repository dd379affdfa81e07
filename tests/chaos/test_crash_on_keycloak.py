"""The same on a real Keycloak: a process that ends before any single request it sends, or transaction it begins.

What `test_crash_everywhere` cannot see is what one call of the port consists of: several requests, and an end in
between. Each run has a person of its own in the module's realm.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests

from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.adapters.keycloak.credentials import KeycloakCredentials
from sync.adapters.keycloak.listing import KeycloakListing
from sync.commands import acts as asking
from sync.commands.accounts.change import change_account, create
from sync.commands.accounts.initial_password import InitialPassword
from sync.commands.deactivation.deactivate import deactivate_account
from sync.commands.perform import perform
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.acts import ActKind, ActState, password_created_at, stamp_of
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import Refused
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.plan import diff
from sync.domain.work.lane import Lane
from sync.jobs.schedule.sweep import sweep
from sync.jobs.systems import Systems
from sync.store import acts
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.provisioning import work_state
from tests.chaos.crash_place import BY, PASSWORD, POLICY, STEPS, joiner, work
from tests.chaos.crash_points import Crash, Points, WatchedDatabase
from tests.commands.imports.import_sites import import_site
from tests.fakes.signals import FakeClock
from tests.realms import ConfiguredRealm

WHOLE = "FSM_CHAOS" in os.environ
MEMORY = Path("/dev/shm")
NAMES = (f"crash{number}.test" for number in itertools.count())


@dataclass(frozen=True)
class Wish:
    """`profile` None: the person is not there before."""

    name: str
    profile: str | None
    ask: Callable[[Systems, str, Account | None], object]
    main: bool = False

    def __str__(self) -> str:
        return self.name


def _create(lane: Lane) -> Callable[[Systems, str, Account | None], object]:
    def ask(systems: Systems, name: str, _: Account | None) -> object:
        return perform(
            systems,
            lambda tx: create(tx, POLICY, joiner(name), BY, systems.clock.now(), password=PASSWORD, lane=lane),
            wakes=lane,
        )

    return ask


def _deactivate(systems: Systems, _: str, account: Account | None) -> object:
    assert account is not None
    return deactivate_account(systems, account.id, GatePolicy.REFUSE, BY)


def _promote(systems: Systems, _: str, account: Account | None) -> object:
    assert account is not None
    return change_account(systems, account.id, AccountChange(profile="administrator", data_access=None), BY)


def _reset(systems: Systems, _: str, account: Account | None) -> object:
    """Whoever got no answer looks first, and does not ask for the same act again."""
    assert account is not None
    new = InitialPassword("abcd-efgh-jkmn-pqrs-tuvw-xyz2", "mail")

    def unless_asked(tx: Tx) -> object:
        if any(each.kind is ActKind.RESET_PASSWORD for each in acts.of_account(tx, account.id)):
            return None
        return asking.reset_password(tx, POLICY, account.id, new, BY, systems.clock.now())

    return perform(systems, unless_asked, wakes=Lane.INTERACTIVE)


WISHES = (
    Wish("create", None, _create(Lane.INTERACTIVE)),
    Wish("import", None, _create(Lane.BULK)),
    Wish("promote", "read-only", _promote),
    Wish("deactivate", "dispatcher", _deactivate, main=True),
    Wish("reset", "dispatcher", _reset),
)


@contextmanager
def requests_watched(monkeypatch: pytest.MonkeyPatch, points: Points) -> Iterator[None]:
    """Meanwhile every request of this process is a point."""
    send = requests.adapters.HTTPAdapter.send

    def counted(self: Any, request: Any, *given: Any, **named: Any) -> Any:
        return points.call(f"{request.method} {request.path_url}", lambda: send(self, request, *given, **named))

    with monkeypatch.context() as patch:
        patch.setattr(requests.adapters.HTTPAdapter, "send", counted)
        yield


def process(systems: Systems, realm: ConfiguredRealm) -> Systems:
    """As one process sees it: with connections of its own and nothing remembered."""
    return replace(
        systems,
        accounts=KeycloakAccounts(realm.connection("fsm-worker"), POLICY),
        bulk_accounts=ImportingAccounts(realm.connection("fsm-import"), POLICY),
        credentials=KeycloakCredentials(realm.connection("fsm-worker")),
        listing=KeycloakListing(realm.connection("fsm-worker"), POLICY),
    )


def goes_on(systems: Systems) -> None:
    assert isinstance(systems.clock, FakeClock)
    for seconds in STEPS:
        systems.clock.advance(timedelta(seconds=seconds))
        sweep(systems)
        work(systems)


def ended_at(
    systems: Systems, realm: ConfiguredRealm, wish: Wish, points: Points, monkeypatch: pytest.MonkeyPatch
) -> tuple[bool, list[str]]:
    """One run with one end. Whether the process ended, and what is wrong afterwards."""
    name, healthy, account, ended = next(NAMES), process(systems, realm), None, False
    if wish.profile is not None:
        new = joiner(name, profile=wish.profile)
        account = perform(
            healthy,
            lambda tx: create(tx, POLICY, new, BY, systems.clock.now(), password=PASSWORD),
            wakes=Lane.INTERACTIVE,
        )
        work(healthy)
    database: Any = WatchedDatabase(systems.db, points)
    try:
        with requests_watched(monkeypatch, points):
            here = replace(process(systems, realm), db=database)
            wish.ask(here, name, account)
            work(here)
    except Crash:
        ended = True
        with suppress(Refused):
            wish.ask(healthy, name, account)
    goes_on(healthy)
    email = f"{name}@example.com"
    return ended, violations(healthy, email) + resets(healthy, email) + points.held_open


def violations(systems: Systems, email: str) -> list[str]:
    with systems.db.read() as tx:
        account = accounts.by_login(tx, email)
        assert account is not None
        state = work_state.of_account(tx, account.id)
    users = [user for page in systems.listing.users() for user in page]
    found = [user.idp_user_id for user in users if email in (user.username, user.email)]
    desired = desired_state(account, POLICY)
    if state is None or not state.applied or len(found) != 1:
        return [f"{email} has {len(found)} users, and {state}"]
    observed = systems.accounts.observe(found[0], sessions=not desired.enabled)
    assert observed is not None
    left = diff(desired, observed).changes
    sent = Counter(message.subject for message in systems.mailer.sent if message.to == email)  # type: ignore[attr-defined]
    return [f"{email} is not as wanted: {'; '.join(map(str, left))}"] * bool(left) + [
        f"{email} got {number} mails {subject!r}" for subject, number in sent.items() if number > 1
    ]


def resets(systems: Systems, email: str) -> list[str]:
    """A reset was done once, and its password is the one that is there."""
    with systems.db.read() as tx:
        account = accounts.by_login(tx, email)
        assert account is not None
        done = [each for each in acts.of_account(tx, account.id) if each.kind is ActKind.RESET_PASSWORD]
    found = [f"a reset is {each.state}: {each.outcome}" for each in done if each.state is not ActState.DONE]
    if len(done) > 1:
        found.append(f"{len(done)} resets")
    if done and not found:
        held = password_created_at(systems.credentials.of_user(str(account.idp_user_id)))
        if held != stamp_of(done[0]):
            found.append(f"the password is of {held}, the reset of {stamp_of(done[0])}")
    return found


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is such a place."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@pytest.mark.supports("H1", "D6")
@pytest.mark.keycloak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("wish", [each for each in WISHES if each.main or WHOLE], ids=str)
def test_a_process_may_end_before_any_request(
    memory: Path, configured_realm: ConfiguredRealm, monkeypatch: pytest.MonkeyPatch, wish: Wish
) -> None:
    """In the middle of what is one step for us and several requests for Keycloak."""
    wrong, number, ended = list[str](), 0, True
    with import_site(f"sqlite:///{memory / 'crash.db'}") as systems:
        while ended:
            number += 1
            points = Points(number)
            ended, found = ended_at(systems, configured_realm, wish, points, monkeypatch)
            wrong += [f"ended {points.where}: {line}" for line in found]
    assert wrong == [], "\n".join(wrong[:20])
    assert number > 10
