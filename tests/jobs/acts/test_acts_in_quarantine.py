"""One-shot acts on accounts in quarantine: which go all the same, and what is known of Keycloak by them (H2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account
from sync.domain.acts import ActState
from sync.domain.errors import Transient
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.domain.work.circuit import FAILURES_TO_OPEN, Admission, CircuitName
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.schedule.sweep import sweep
from sync.store import acts
from sync.store.provisioning import due, work_state
from sync.store.work import circuits
from tests.callers import allowed
from tests.claiming import still_claimed
from tests.jobs.acts.act_steps import ask, ended, person
from tests.world import World


def marked_due(world: World, account: Account) -> None:
    """A worker is to look at the account, as after any change of it."""
    world.do(lambda tx: due.mark_due(tx, account.id, Lane.INTERACTIVE, world.clock.now()))


def keycloak_was_away(world: World) -> None:
    """For so many requests that its circuit opened; by now it admits a probe."""
    now = world.clock.now()
    for _ in range(FAILURES_TO_OPEN):
        world.do(
            lambda tx: circuits.change(
                tx, CircuitName.KEYCLOAK, lambda row: row.failed(Transient("no answer"), now, 0.5), now
            )
        )
    world.pass_time(60)


@pytest.mark.supports("D6", "H2")
def test_in_quarantine_what_opens_no_way_in_goes(world: World) -> None:
    """Sessions end and the password is reset on a tampered account; the unlock waits for a person to have
    looked."""
    account, user = person(world)
    tampered = vocabulary.profile_group("dispatcher")
    world.accounts.groups[tampered].add("realm-management/view-users")
    user.groups.discard(tampered)
    marked_due(world, account)
    world.work()
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.quarantine is not None

    unlock, sessions = ask(world, account, "unlock"), ask(world, account, "sessions")
    assert Lane.INTERACTIVE in sweep(world.systems)
    world.work()
    assert user.tokens == {}
    assert ended(world, sessions)[0] is ActState.DONE
    assert ended(world, unlock)[0] is ActState.WAITING
    assert Lane.INTERACTIVE not in sweep(world.systems)

    world.accounts.groups[tampered].discard("realm-management/view-users")
    world.do(lambda tx: due.lift_quarantine(tx, allowed(), account.id, Lane.INTERACTIVE, world.clock.now()))
    world.work()
    assert ended(world, unlock)[0] is ActState.DONE


@pytest.mark.supports("H2")
def test_in_quarantine_nothing_is_done_to_somebody_else_s_user(world: World) -> None:
    """The user carries another account's id: whose sessions these are nobody knows."""
    account, user = person(world)
    user.attributes[ACCOUNT_ID] = ("somebody-else",)
    marked_due(world, account)
    world.work()
    act = ask(world, account, "sessions")
    world.work()
    state, outcome = ended(world, act)
    assert state is ActState.FAILED
    assert "belongs to account somebody-else" in str(outcome)
    assert user.tokens


@pytest.mark.supports("H2")
def test_a_probe_that_asked_nothing_closes_no_circuit(world: World) -> None:
    """In quarantine, with one act that comes again later and one behind it: nobody is asked, so nothing is
    known of Keycloak, and nobody is woken for it."""
    account, user = person(world)
    user.attributes[ACCOUNT_ID] = ("somebody-else",)
    marked_due(world, account)
    world.work()
    first = ask(world, account, "sessions")
    ask(world, account, "factor")
    later = world.clock.now() + timedelta(hours=1)
    world.do(
        lambda tx: acts.put_off(
            tx, still_claimed(first.account_id), first.id, later, "no answer", certainly_not_done=False
        )
    )
    keycloak_was_away(world)
    asked = world.accounts.asked
    assert Lane.INTERACTIVE not in sweep(world.systems)
    world.work()
    assert world.accounts.asked == asked
    assert not world.read(lambda tx: circuits.get(tx, CircuitName.KEYCLOAK)).closed


@pytest.mark.supports("H2")
def test_who_has_no_user_closes_no_circuit(world: World) -> None:
    """In quarantine before a user was made, with an act: that it fails is known without asking Keycloak."""
    path = vocabulary.profile_group("dispatcher")
    world.accounts.groups[path].add("realm-management/view-users")
    account = world.join()
    world.work()
    act = ask(world, account, "sessions")
    keycloak_was_away(world)
    asked = world.accounts.asked
    provision_some(world.systems, Lane.INTERACTIVE)
    assert ended(world, act) == (ActState.FAILED, "the account has no Keycloak user")
    assert world.accounts.asked == asked
    circuit = world.read(lambda tx: circuits.get(tx, CircuitName.KEYCLOAK))
    assert not circuit.closed
    assert circuit.admits(world.clock.now()) is Admission.PROBE
