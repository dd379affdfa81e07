"""Bulk work steps back while somebody waits for one account (J6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import Context
from datetime import timedelta

import pytest

from sync.commands.accounts.change import change
from sync.commands.imports.confirm import confirm
from sync.commands.imports.review import ImportOptions, review
from sync.commands.perform import perform
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from sync.jobs.work import giving_way
from sync.ports.lease import kept
from sync.store.accounts import accounts
from sync.store.database.tables import provisioning as work
from sync.store.provisioning import looks
from tests.commands.imports.import_sites import BY, import_site, person, staff_file
from tests.fakes.accounts import FakeAccounts
from tests.fakes.signals import FakeClock

pytestmark = pytest.mark.supports("J6")


@pytest.fixture
def systems(database_url: str) -> Iterator[Systems]:
    """An import is under way: thirty people are applied, and their users are to be made; somebody is there."""
    with import_site(database_url) as made:
        _import(made, 1, 1)
        _import(made, 100, 30)
        apply_chunk(made)
        yield made


def _import(systems: Systems, first: int, people: int) -> None:
    rows = [person(number) for number in range(first, first + people)]
    confirm(systems, review(systems, staff_file(*rows), "staff.csv", BY, ImportOptions()).run.id, BY)
    if people == 1:
        while apply_chunk(systems) + provision_some(systems, Lane.BULK):
            pass


def pat(systems: Systems) -> Account:
    with systems.db.read() as tx:
        found = accounts.by_login(tx, "pat1@example.com")
    assert found is not None
    return found


def change_by_hand(systems: Systems) -> None:
    wanted = AccountChange(given_name="Patricia")
    perform(
        systems,
        lambda tx: change(tx, systems.policy, pat(systems).id, wanted, BY, systems.clock.now()),
        wakes=Lane.INTERACTIVE,
    )


def in_keycloak(systems: Systems) -> int:
    assert isinstance(systems.accounts, FakeAccounts)
    return len(systems.accounts.users)


class Waits:
    """Stands for the waiting of a bulk worker: each time it does, `meanwhile` may do what another worker does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, systems: Systems) -> None:
        self.passed = 0.0
        self.seen: list[int] = []
        self.systems = systems
        self.works_on_the_other_lane = True
        monkeypatch.setattr(giving_way, "LOOK_AGAIN", 0)
        monkeypatch.setattr(giving_way, "sleep", self.sleep)
        monkeypatch.setattr(giving_way, "monotonic", lambda: self.passed)

    def sleep(self, seconds: float) -> None:
        self.passed += seconds
        self.seen.append(in_keycloak(self.systems))
        if self.works_on_the_other_lane:
            Context().run(provision_some, self.systems, Lane.INTERACTIVE)


def test_a_change_by_hand_is_done_before_the_import_goes_on(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Waits(monkeypatch, systems)
    change_by_hand(systems)
    assert provision_some(systems, Lane.BULK) == 30
    assert waits.seen == [1], "nobody of the import was made before the change was in Keycloak"
    assert in_keycloak(systems) == 31


def test_a_change_that_comes_in_the_middle_is_not_kept_waiting_for_the_rest(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked before each request, not only before each share."""
    waits = Waits(monkeypatch, systems)
    assert isinstance(systems.bulk_accounts, FakeAccounts)
    make, made = systems.bulk_accounts._outcome, 0

    def make_and_change(user: object) -> object:
        nonlocal made
        made += 1
        if made == 10:
            change_by_hand(systems)
        return make(user)  # type: ignore[arg-type]

    monkeypatch.setattr(systems.bulk_accounts, "_outcome", make_and_change)
    provision_some(systems, Lane.BULK)
    assert waits.seen == [11]


def test_it_is_not_asked_again_in_the_same_moment(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small requests follow each other faster than anybody could come."""
    looks: list[None] = []
    monkeypatch.setattr(giving_way, "_somebody_waits", lambda _: looks.append(None))
    monkeypatch.setattr(giving_way, "monotonic", lambda: 0.0)
    provision_some(systems, Lane.BULK)
    assert len(looks) == 2, "once before the share is claimed, and once before its outcomes are recorded"


def test_rows_are_not_applied_while_somebody_waits(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = Waits(monkeypatch, systems)
    _import(systems, 200, 10)
    change_by_hand(systems)
    assert apply_chunk(systems) == 10
    assert len(waits.seen) == 1


def test_a_look_that_a_door_waits_for_is_given_way_too(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = Waits(monkeypatch, systems)
    with systems.db.write() as tx:
        looks.ask(tx, pat(systems).id, systems.clock.now())
    provision_some(systems, Lane.BULK)
    assert waits.seen == [1]


def test_bulk_work_never_stands_still(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody works on the interactive lane: each request of the import waits half a second, and then is sent."""
    waits = Waits(monkeypatch, systems)
    waits.works_on_the_other_lane = False
    change_by_hand(systems)
    requests: list[None] = []
    with kept(lambda: requests.append(None)):
        provision_some(systems, Lane.BULK)
    assert in_keycloak(systems) == 31
    assert waits.passed == pytest.approx(giving_way.LONGEST * (1 + len(requests)), rel=0.05)


def test_what_waits_for_something_else_holds_no_import_up(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that was not done within a second waits for a worker or for Keycloak, not for room."""
    waits = Waits(monkeypatch, systems)
    change_by_hand(systems)
    assert isinstance(systems.clock, FakeClock)
    systems.clock.advance(giving_way.FRESH + timedelta(milliseconds=1))
    provision_some(systems, Lane.BULK)
    assert waits.passed == 0


def test_what_comes_later_or_needs_a_person_holds_no_import_up(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Waits(monkeypatch, systems)
    change_by_hand(systems)
    later = work.update().where(work.c.account_id == pat(systems).id)
    with systems.db.write() as tx:
        tx.connection.execute(later.values(due_at=systems.clock.now() + timedelta(minutes=1)))
    provision_some(systems, Lane.BULK)
    assert waits.passed == 0
