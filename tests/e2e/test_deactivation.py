"""Taking access away, seen by the person who loses it: real tokens, a real Keycloak, a real FSM database."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from examples import BUSY_TECHNICIAN, FREE_TECHNICIAN
from examples.browser import payload
from examples.fsm_content import OPEN_STATUSES
from examples.fsm_database import NotAssignable, assign
from sync.commands.accounts.change import change
from sync.commands.accounts.technician import link_technician
from sync.commands.deactivation.deactivate import deactivate_account
from sync.commands.deactivation.reassign import reassign_work_orders
from sync.domain.access.scope import Scope
from sync.domain.access.vocabulary import FIELD_TECHNICIANS
from sync.domain.accounts.account import Life
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy, WorkOrdersOpen
from sync.domain.errors import Transient
from sync.domain.provisioning.change import Disable
from sync.domain.work.ladder import HOLD_LOOK
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.schedule.sweep import sweep
from sync.store.audit.timeline import read_timeline
from sync.store.deactivation import deactivations, reassignments
from sync.store.deactivation.deactivations import HeldDeactivation
from sync.store.work import account_claims
from sync.store.work.lease_rows import Terms
from sync.views.accounts.assignability import assignability
from tests.e2e.place import APP, BY, Overheard, Place, Technician
from tests.realms import PASSWORD

pytestmark = pytest.mark.keycloak

WORKING, REFUSED = (200, 200), (400, 400)
RACES = 6


def has_no_access(place: Place, person: Technician) -> bool:
    user = place.user(person.account)
    return person.refreshes() == REFUSED and (user.enabled, user.sessions, user.offline) == (False, 0, frozenset())


@pytest.mark.req("D6")
@pytest.mark.supports("D1", "D5")
def test_refused_with_every_work_order_then_reassigned_then_gone(place: Place) -> None:
    """Lead, crew and appointment are named; nothing is stored; once others have the work, every token is dead."""
    person = place.technician(BUSY_TECHNICIAN)
    place.join(FREE_TECHNICIAN)
    with pytest.raises(WorkOrdersOpen) as refused:
        deactivate_account(place.systems, person.account.id, GatePolicy.REFUSE, BY)
    named = refused.value.work_orders
    assert [order.number.rpartition("-")[2] for order in named] == ["0001", "0002", "0003", "0004", "0005"]
    assert {way for order in named for way in order.holds} == {"lead", "crew", "appointment"}
    assert all(order.customer and order.date and order.status in OPEN_STATUSES for order in named)
    place.work()
    assert place.account(person.account).life is Life.ACTIVE
    assert person.refreshes() == WORKING

    asked = reassign_work_orders(place.systems, BUSY_TECHNICIAN, FREE_TECHNICIAN, BY)
    place.work()
    done = place.read(lambda tx: reassignments.get(tx, asked.id))
    assert done is not None
    assert [order.number for order in done.moved] == [order.number for order in named]
    assert deactivate_account(place.systems, person.account.id, GatePolicy.REFUSE, BY) == ()
    place.work()
    assert has_no_access(place, person)


@pytest.mark.req("B4", "D6", "D7")
def test_reactivated_with_everything_but_the_old_tokens(place: Place) -> None:
    """Profile, branch, team and technician are back, in Keycloak and in a new token; the phone logs in anew."""
    person = place.technician()
    before = place.user(person.account)
    place.leave(person.account, GatePolicy.REFUSE)
    place.work()
    assert has_no_access(place, person)
    place.come_back(person.account)
    after = place.user(person.account)
    assert (after.enabled, after.groups, after.technician_id) == (True, before.groups, person.id)
    assert {"/fsm/profiles/technician", "/fsm/branches/hamburg", FIELD_TECHNICIANS} <= after.groups
    assert person.refreshes() == REFUSED
    again = place.browser()
    claim = payload(again.tokens(again.log_in(person.account.username, PASSWORD))["access_token"])["fsm"]
    assert (claim["profile"], claim["branch"], claim["team"]) == (["technician"], ["hamburg"], ["hamburg-heizung"])
    assert claim["technician_id"] == person.id


@pytest.mark.req("B4")
@pytest.mark.supports("B3", "D1", "D4")
def test_unlinking_does_not_get_around_the_gate(place: Place) -> None:
    """Refused at the door; behind it group, attribute and claim stay until the work is done, then all three go."""
    person = place.technician()
    numbers = place.give_work(person.id, 2)
    with pytest.raises(WorkOrdersOpen):
        link_technician(place.systems, person.account.id, None, BY)
    unlink = AccountChange(technician_id=None)
    place.do(lambda tx: change(tx, place.systems.policy, person.account.id, unlink, BY, place.clock.now()))
    place.work()
    held = place.user(person.account)
    assert (held.technician_id, FIELD_TECHNICIANS in held.groups) == (person.id, True)
    assert tuple(order.number for order in place.state(person.account).held_work_orders) == numbers
    assert claim_of(person)["technician_id"] == person.id

    place.close_work(*numbers)
    place.pass_time(HOLD_LOOK.total_seconds())
    place.work()
    free = place.user(person.account)
    assert (free.enabled, free.technician_id, FIELD_TECHNICIANS in free.groups) == (True, None, False)
    assert "technician_id" not in claim_of(person)
    [why_not] = [each for each in assignability(place.systems, Scope.all()) if each.technician.id == person.id]
    assert why_not.reasons


@pytest.mark.req("D6")
@pytest.mark.supports("D7", "H1")
def test_a_crash_between_disable_and_revoke_is_mended(place: Place) -> None:
    """The worker died after its first change: the token lives on behind the disabled user, until the next look."""
    person = place.technician()
    place.leave(person.account, GatePolicy.REFUSE)
    with place.systems.db.write() as tx:
        [claim] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(place.clock.now()), 1)
    assert claim.account.id == person.account.id
    assert person.account.idp_user_id is not None
    place.systems.accounts.apply(person.account.idp_user_id, Disable())
    crashed = place.user(person.account)
    assert (crashed.enabled, crashed.offline) == (False, {APP})
    place.work()
    assert place.user(person.account).offline == {APP}, "the dead worker's lease has not run out yet"

    place.pass_time(LEASE.total_seconds() + 1)
    place.work()
    assert has_no_access(place, person)
    place.come_back(person.account)
    assert place.user(person.account).enabled
    assert person.refreshes() == REFUSED


@pytest.mark.req("D4")
@pytest.mark.supports("D3")
def test_a_hold_completes_by_itself(place: Place) -> None:
    """Meanwhile access stays and new work is refused; once the last work order is closed, nobody has to ask."""
    person = place.technician()
    numbers = place.give_work(person.id, 3)
    answered = deactivate_account(place.systems, person.account.id, GatePolicy.HOLD, BY)
    assert tuple(order.number for order in answered) == numbers
    place.work()
    assert person.refreshes() == WORKING
    with pytest.raises(NotAssignable):
        place.give_work(person.id)
    [held] = held_ones(place, person)
    assert [order.number for order in held.deactivation.work_orders] == list(numbers)
    assert held.deactivation.by.reason == BY.reason

    place.close_work(*numbers[:2])
    place.pass_time(HOLD_LOOK.total_seconds())
    place.work()
    assert person.refreshes() == WORKING
    place.close_work(numbers[2])
    place.pass_time(HOLD_LOOK.total_seconds())
    assert Lane.INTERACTIVE in sweep(place.systems)
    place.work()
    assert has_no_access(place, person)
    assert held_ones(place, person) == []


@pytest.mark.req("D6")
@pytest.mark.supports("D4", "D5")
def test_force_ends_access_now_and_lists_what_is_left_behind(place: Place) -> None:
    """The open work orders need somebody else; given to somebody else they are off the list."""
    person = place.technician()
    numbers = place.give_work(person.id, 2)
    deactivate_account(place.systems, person.account.id, GatePolicy.FORCE, BY)
    place.work()
    assert has_no_access(place, person)
    assert stranded(place, person) == numbers
    taker = place.free_technician()
    place.join(taker)
    reassign_work_orders(place.systems, person.id, taker, BY)
    place.work()
    assert stranded(place, person) == ()


@pytest.mark.req("D2")
@pytest.mark.supports("H2")
@pytest.mark.parametrize("policy", list(GatePolicy))
def test_nobody_is_deactivated_while_the_fsm_database_is_away(place: Place, policy: GatePolicy) -> None:
    """At the door nothing is stored; behind it the worker tries again until the database is back."""
    person = place.technician()
    away = place.fsm_file.with_suffix(".away")
    place.fsm.dispose()
    place.fsm_file.rename(away)
    try:
        with pytest.raises(Transient, match="FSM database"):
            deactivate_account(place.systems, person.account.id, policy, BY)
        assert place.account(person.account).life is Life.ACTIVE
        place.leave(person.account, policy)
        place.work()
        assert person.refreshes() == WORKING
        assert (place.state(person.account).attempts, place.state(person.account).quarantine) == (1, None)
    finally:
        away.rename(place.fsm_file)
    place.pass_time(10)
    place.work()
    assert has_no_access(place, person)


@pytest.mark.req("D3")
def test_work_that_comes_between_door_and_gate_keeps_the_access(place: Place) -> None:
    """The door saw none; the worker's gate sees it, refuses, and the technician can be given work again."""
    person = place.technician()
    assert deactivate_account(place.systems, person.account.id, GatePolicy.REFUSE, BY) == ()
    place.give_work(person.id)
    place.work()
    assert person.refreshes() == WORKING
    assert place.account(person.account).life is Life.ACTIVE
    titles = [entry.title for entry in place.read(lambda tx: read_timeline(tx, person.account.id))]
    assert "deactivation refused" in titles
    assert place.give_work(person.id)


@pytest.mark.supports("D3")
def test_work_given_while_the_gate_asks_is_seen_or_refused(place: Place) -> None:
    """A dispatcher at the very moment of the gate: in the end there is access and work, or neither."""
    ends = set()
    for _ in range(RACES):
        technician = place.free_technician()
        account, _ = place.join(technician)
        order = place.new_work_order()
        place.leave(account, GatePolicy.REFUSE)
        dispatcher = threading.Thread(target=give, args=(place, order, technician))
        listening = Overheard(place.systems.field_service, before_stop=dispatcher.start)
        provision_some(replace(place.systems, field_service=listening), Lane.INTERACTIVE)
        dispatcher.join(20)
        ends.add((place.user(account).enabled, has_work(place, technician)))
    assert ends <= {(True, True), (False, False)}


@pytest.mark.req("D6")
def test_how_long_a_refresh_token_outlives_the_gates_yes(
    place: Place, record_property: Callable[[str, object], None]
) -> None:
    """Measured from the gate's yes to the first refusal, with a token that is refreshed all the while."""
    person = place.technician()
    gate_said_yes, refused = list[float](), list[float]()

    def refresh_until_refused() -> None:
        limit = time.monotonic() + 30
        while time.monotonic() < limit and not refused:
            if person.browser.refresh(person.offline).status_code == 400:
                refused.append(time.monotonic())

    place.leave(person.account, GatePolicy.REFUSE)
    phone = threading.Thread(target=refresh_until_refused)
    listening = Overheard(place.systems.field_service, none_open=lambda: gate_said_yes.append(time.monotonic()))
    phone.start()
    began = time.monotonic()
    provision_some(replace(place.systems, field_service=listening), Lane.INTERACTIVE)
    ended = time.monotonic()
    phone.join(40)
    assert gate_said_yes
    assert refused
    assert has_no_access(place, person)
    figures = {
        "gate's yes to refusal": refused[0] - gate_said_yes[0],
        "worker, whole look": ended - began,
        "life of an access token at most": place.systems.policy.realm.sessions.access_token_seconds,
    }
    for name, seconds in figures.items():
        record_property(f"D6 {name} (s)", round(seconds, 3))
        sys.stdout.write(f"D6 {name}: {seconds:.3f} s\n")


def give(place: Place, order: str, technician_id: str) -> None:
    with suppress(NotAssignable):
        assign(place.fsm, order, technician_id)


def has_work(place: Place, technician_id: str) -> bool:
    return bool(place.systems.field_service.open_work_orders(technician_id))


def claim_of(person: Technician) -> dict[str, Any]:
    """The claim in a fresh access token of the session in the browser."""
    answer = person.browser.refresh(person.online).json()
    return dict(payload(answer["access_token"])["fsm"])


def held_ones(place: Place, person: Technician) -> list[HeldDeactivation]:
    found = place.read(lambda tx: deactivations.list_held(tx, Scope.all()))
    return [each for each in found if each.account.id == person.account.id]


def stranded(place: Place, person: Technician) -> tuple[str, ...]:
    found = place.read(lambda tx: deactivations.stranded(tx, Scope.all()))
    return tuple(each.work_order.number for each in found if each.account.id == person.account.id)
