"""Who comes next: runs take turns, a run waits while the lane has enough, and a click waits for neither."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from sync.commands.accounts.change import change
from sync.commands.imports.confirm import confirm
from sync.commands.imports.review import ImportOptions, review
from sync.commands.perform import perform
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.runs.apply_runs import ENOUGH
from sync.jobs.systems import Systems
from sync.store.accounts import accounts
from sync.store.audit.timeline import read_timeline
from sync.store.database.tables import provisioning as work
from sync.store.runs import progress
from sync.store.runs.runs import Run
from sync.store.work import account_claims
from tests.commands.imports.import_sites import BY, import_site, person, staff_file
from tests.fakes.signals import FakeClock

LARGE, SMALL = 800, 20


@pytest.fixture
def systems(database_url: str) -> Iterator[Systems]:
    """Systems on an empty database of each kind."""
    with import_site(database_url) as made:
        yield made


def confirmed(systems: Systems, first: int, people: int) -> Run:
    rows = [person(number) for number in range(first, first + people)]
    return confirm(systems, review(systems, staff_file(*rows), "staff.csv", BY, ImportOptions()).run.id, BY)


def turn(systems: Systems) -> int:
    """What a worker does between two looks at the time."""
    assert isinstance(systems.clock, FakeClock)
    systems.clock.advance(timedelta(seconds=1))
    return apply_chunk(systems) + provision_some(systems, Lane.BULK)


def in_keycloak(systems: Systems, run: Run) -> int:
    with systems.db.read() as tx:
        return progress.progress(tx, run.id).places["in Keycloak"]


@pytest.mark.supports("F4", "H1")
def test_a_small_import_does_not_wait_for_a_large_one(systems: Systems) -> None:
    """Confirmed behind 800 people, 20 people are in Keycloak while most of the 800 still wait."""
    large = confirmed(systems, 1, LARGE)
    turn(systems)
    small = confirmed(systems, 5000, SMALL)
    while in_keycloak(systems, small) < SMALL:
        assert turn(systems)
    assert in_keycloak(systems, large) <= LARGE // 2
    while turn(systems):
        pass
    assert (in_keycloak(systems, large), in_keycloak(systems, small)) == (LARGE, SMALL)


@pytest.mark.supports("F4", "H1")
def test_no_more_is_applied_than_the_lane_can_carry(systems: Systems) -> None:
    """While Keycloak is slow, the rows of a run stay rows, and others can be put in between."""
    confirmed(systems, 1, LARGE)
    while apply_chunk(systems):
        pass
    with systems.db.read() as tx:
        due = account_claims.new_up_to(tx, Lane.BULK, systems.clock.now(), LARGE)
    assert ENOUGH <= due < ENOUGH + 100
    assert provision_some(systems, Lane.BULK)
    assert apply_chunk(systems)


@pytest.mark.supports("H1")
def test_a_click_waits_for_no_import(systems: Systems) -> None:
    """Somebody of the import is changed by hand while hundreds wait: the next look at the other lane is at them,
    and the lane of the import has them no more."""
    confirmed(systems, 1, LARGE)
    while apply_chunk(systems):
        pass
    with systems.db.read() as tx:
        pat = accounts.by_login(tx, "pat7@example.com")
    assert pat is not None
    wanted = AccountChange(given_name="Patricia")
    perform(
        systems,
        lambda tx: change(tx, systems.policy, pat.id, wanted, BY, systems.clock.now()),
        wakes=Lane.INTERACTIVE,
    )
    assert provision_some(systems, Lane.INTERACTIVE) == 1
    with systems.db.read() as tx:
        [tried] = [each for each in read_timeline(tx, pat.id) if each.kind == "keycloak"]
    assert tried.title == "applied (version 2)"


@pytest.mark.supports("F4", "H1")
@pytest.mark.parametrize("why", ["held", "failing", "waiting"])
def test_what_only_comes_again_keeps_no_import_waiting(systems: Systems, why: str) -> None:
    """A pile of deactivations held by open work, of accounts that fail, of those that wait for something to be
    mended, is due again every few minutes: it takes its turns, and the rows of a run are applied all the same."""
    confirmed(systems, 1, ENOUGH)
    while turn(systems):
        pass
    with systems.db.write() as tx:
        again: dict[str, dict[str, object]] = {
            "held": {"held_work_orders": (OpenWorkOrder("WO-1", "scheduled", "Contoso", None, ("lead",)),)},
            "failing": {"attempts": 4},
            "waiting": {"waits_for": "configuration", "waits_reason": "no group"},
        }
        tx.connection.execute(update(work).values(due_at=systems.clock.now(), lane=Lane.BULK.value, **again[why]))
    confirmed(systems, 5000, 100)
    assert apply_chunk(systems) == 100
