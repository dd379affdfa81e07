"""One-shot acts whose worker dies, or is overtaken by another: done in the end, and not twice (H1)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.domain.acts import PASSWORD, ActState, Credential
from sync.domain.provisioning.observed import LockState
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.jobs.mail import send_some
from sync.jobs.schedule.sweep import sweep
from sync.store.work import account_claims, lease_rows
from sync.store.work.lease_rows import Terms
from tests.fakes.credentials import set_password
from tests.jobs.acts.act_steps import ACTS, NEW, Killed, ask, ended, killed_over_it, person, reset, told
from tests.world import World


@pytest.mark.supports("H1")
@pytest.mark.parametrize("after_the_work", [False, True], ids=["before the write", "after the write"])
@pytest.mark.parametrize("name", ACTS)
def test_a_worker_dies_over_it(world: World, name: str, *, after_the_work: bool) -> None:
    """Started and not recorded: done in the end, and not twice; a mail that may have left is told to a person."""
    account, user = person(world)
    if name == "unlock":
        user.lock, user.enabled = LockState(permanent=True, failures=9), False
    act = ask(world, account, name)
    if name == "sessions":
        world.accounts.fail_next_apply(Killed(), after_the_work=after_the_work)
    else:
        world.credentials.fail_next(Killed(), after_the_work=after_the_work)
    with pytest.raises(Killed):
        world.work()
    assert ended(world, act)[0] is ActState.STARTED
    world.pass_time(LEASE.total_seconds() + 1)
    sweep(world.systems)
    world.work()

    state, outcome = ended(world, act)
    if name == "mail":
        assert state is ActState.FAILED
        assert "may have been sent" in str(outcome)
        assert len(world.credentials.mails) == int(after_the_work)
    else:
        assert state is ActState.DONE
    if name == "reset":
        assert world.credentials.given == [NEW]
        assert (user.password, user.tokens) == (NEW, {})
        assert send_some(world.systems) == 1
        assert NEW in world.mailer.sent[0].text
    if name == "change":
        assert user.required_actions == {"UPDATE_PASSWORD"}
    if name == "unlock":
        assert outcome == "it was locked permanently"
        assert user.enabled
    if name in ("sessions", "factor"):
        assert user.tokens == {}
    titles = told(world, account)
    assert sum(title in {f"{act.kind} done", f"{act.kind} failed"} for title in titles) == 1


@pytest.mark.supports("C1", "H1")
def test_a_person_who_was_faster_than_the_takeover_keeps_the_own_password(world: World) -> None:
    """The reset landed, its worker died, the person logged in and chose a password: it is not reset again."""
    account, user = person(world)
    act = reset(world, account)
    killed_over_it(world, after_the_work=True)
    set_password(user, "My-own-one-8", world.clock.now() + timedelta(seconds=20))
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert user.password == "My-own-one-8"
    assert ended(world, act)[0] is ActState.DONE


@pytest.mark.supports("C1", "H1")
def test_a_password_that_nobody_can_explain_is_for_a_person(world: World) -> None:
    """It is neither the old one nor ours, and the realm keeps no history: nothing is overwritten by a guess."""
    account, user = person(world)
    act = reset(world, account)
    killed_over_it(world)
    user.credentials = [Credential("p", PASSWORD, world.clock.now() + timedelta(seconds=20))]
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    state, outcome = ended(world, act)
    assert (state, world.credentials.given) == (ActState.FAILED, [])
    assert "reset it again" in str(outcome)


@pytest.mark.supports("C2", "H1")
def test_a_change_that_was_made_meanwhile_is_not_asked_for_again(world: World) -> None:
    """One change is enough."""
    account, user = person(world)
    act = ask(world, account, "change")
    killed_over_it(world, after_the_work=True)
    set_password(user, "My-own-one-8", world.clock.now() + timedelta(seconds=20))
    user.required_actions.clear()
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert user.required_actions == set()
    assert ended(world, act)[0] is ActState.DONE


@pytest.mark.supports("C6", "H1")
def test_a_second_factor_set_up_since_stays(world: World) -> None:
    """The old ones were taken, the worker died, the person has a new phone already."""
    account, user = person(world)
    act = ask(world, account, "factor")
    killed_over_it(world, after_the_work=True)
    user.credentials.append(Credential("otp-new", "otp", world.clock.now()))
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert [each.id for each in user.credentials if each.type == "otp"] == ["otp-new"]
    assert ended(world, act)[0] is ActState.DONE


@pytest.mark.supports("H1")
def test_two_workers_at_once_do_it_once(world: World) -> None:
    """The second finds nothing to claim; after a takeover the first writes nothing any more."""
    account, _ = person(world)
    act = reset(world, account)
    with world.systems.db.write() as tx:
        [mine] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
    world.work()
    assert world.credentials.given == []
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert world.credentials.given == [NEW]
    with world.systems.db.write() as tx:
        assert not lease_rows.still_claimed(tx, mine.lease)
    assert ended(world, act)[0] is ActState.DONE
