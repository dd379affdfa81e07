"""One-shot acts that fail or have to wait: what comes again by itself, and what is told (H2)."""

from __future__ import annotations

import pytest

from sync.domain.access import vocabulary
from sync.domain.acts import ActState
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import Failure, Misconfigured, NeedsPerson, Transient
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.ports.credentials import MayHaveBeenSent
from sync.store.provisioning import work_state
from tests.jobs.acts.act_steps import NEW, ask, ended, person, reset, told
from tests.world import World, leave


@pytest.mark.supports("H2")
@pytest.mark.parametrize("after_the_work", [False, True], ids=["not sent", "answer lost"])
def test_no_answer_comes_again_by_itself(world: World, *, after_the_work: bool) -> None:
    """Verified first, so once in the end; what was asked for later waits for it."""
    account, _ = person(world)
    first = reset(world, account)
    world.credentials.fail_next(Transient("no answer"), after_the_work=after_the_work)
    second = ask(world, account, "sessions")
    world.work()
    assert ended(world, first) == (ActState.STARTED, "no answer")
    assert ended(world, second)[0] is ActState.WAITING
    world.pass_time(3600)
    world.work()
    assert world.credentials.given == [NEW]
    assert ended(world, first)[0] is ended(world, second)[0] is ActState.DONE
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.due_at is None


@pytest.mark.supports("C1", "H2")
def test_a_mail_that_was_not_sent_is_sent_later(world: World) -> None:
    """Keycloak said that its mail server is away."""
    account, user = person(world)
    act = ask(world, account, "mail")
    world.credentials.fail_next(Transient("Keycloak could not send the mail"))
    world.work()
    assert ended(world, act)[0] is ActState.WAITING
    world.pass_time(3600)
    world.work()
    assert world.credentials.mails == [user.id]
    assert ended(world, act)[0] is ActState.DONE


@pytest.mark.supports("H2")
@pytest.mark.parametrize(
    "failure", [Misconfigured("the realm cannot send mails"), MayHaveBeenSent("the mail may have been sent")]
)
def test_a_failed_one_says_why_and_holds_nothing_back(world: World, failure: Failure) -> None:
    """The account stays as wanted, and the next act goes."""
    account, _ = person(world)
    act = ask(world, account, "mail")
    world.credentials.fail_next(failure)
    after = ask(world, account, "sessions")
    world.work()
    assert ended(world, act) == (ActState.FAILED, str(failure))
    assert ended(world, after)[0] is ActState.DONE
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert (state.applied, state.quarantine, state.due_at) == (True, None, None)
    assert "set-password-mail failed" in told(world, account)


@pytest.mark.supports("H2")
def test_an_unforeseen_error_fails_the_act_alone(world: World) -> None:
    """It is logged, told, and nothing spins."""
    account, _ = person(world)
    act = ask(world, account, "change")
    world.credentials.fail_next(ValueError("surprise"))
    world.work()
    assert ended(world, act) == (
        ActState.FAILED,
        str(NeedsPerson("unforeseen error of type ValueError; the worker's log has more")),
    )


@pytest.mark.supports("H2")
def test_while_keycloak_is_away_a_act_waits_untouched(world: World) -> None:
    """Nothing is started, no attempt of it is burnt."""
    account, _ = person(world)
    act = reset(world, account)
    world.accounts.fail_next(Transient("no answer"))
    provision_some(world.systems, Lane.INTERACTIVE)
    assert ended(world, act) == (ActState.WAITING, None)
    world.pass_time(3600)
    world.work()
    assert ended(world, act)[0] is ActState.DONE


@pytest.mark.supports("D6", "H2")
def test_while_fsm_is_away_sessions_end_all_the_same(world: World) -> None:
    """Only the question about work orders waits for the FSM system; who asks to end the sessions of somebody who
    leaves is not told to wait for it."""
    account, user = person(world, profile="technician", technician_id="T-1", employee_number="E-1")
    leave(world, account.id, GatePolicy.HOLD)
    world.fsm.down = True
    for _ in range(6):
        world.work()
        world.pass_time(5)
    act = ask(world, account, "sessions")
    world.work()
    assert ended(world, act)[0] is ActState.DONE
    assert user.tokens == {}
    assert user.enabled


@pytest.mark.supports("C1", "H2")
def test_a_act_waits_for_a_user_that_cannot_be_made_yet(world: World) -> None:
    """A group is missing in the realm: once it is there the user is made, and then the act is carried out."""
    path = vocabulary.profile_group("dispatcher")
    roles = world.accounts.groups.pop(path)
    account = world.join()
    act = reset(world, account)
    world.work()
    assert ended(world, act) == (ActState.WAITING, None)
    world.accounts.groups[path] = roles
    world.pass_time(3600)
    world.work()
    assert ended(world, act)[0] is ActState.DONE
