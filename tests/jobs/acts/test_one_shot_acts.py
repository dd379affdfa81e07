"""One-shot acts from the door to Keycloak: what each does, and what a door refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.commands import acts as asking
from sync.commands.deactivation.deactivate import reactivate
from sync.domain.access.scope import Scope
from sync.domain.acts import ActState
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import Refused
from sync.domain.provisioning.observed import LockState
from sync.domain.work.lane import Lane
from sync.jobs.mail import send_some
from sync.jobs.schedule.sweep import sweep
from sync.store import acts
from sync.store.accounts.query import AccountQuery
from sync.store.audit.timeline import read_timeline
from sync.store.database.transactions import Tx
from sync.store.provisioning import observations
from tests.callers import wanted_by
from tests.fakes.credentials import set_password
from tests.jobs.acts.act_steps import ACTS, CHECK, HOURS, NEW, NEWER, ask, ended, person, reset, told
from tests.world import BRANCH, BY, POLICY, World, leave


@pytest.mark.supports("C1", "D6")
def test_a_reset_gives_a_new_password_and_ends_everything(world: World) -> None:
    """The new one has to be changed; sessions and offline tokens are gone. It waits, sealed, for who asks for it
    first; then nothing secret is left in our database."""
    account, user = person(world)
    act = reset(world, account)
    world.work()
    assert (user.password, user.required_actions, user.tokens) == (NEW, {"UPDATE_PASSWORD"}, {})
    state, outcome = ended(world, act)
    assert state is ActState.DONE
    assert "sessions and offline tokens are ended" in str(outcome)
    assert told(world, account)[-2:] == ["reset-password", "reset-password done"]
    assert world.do(lambda tx: asking.take_password(tx, POLICY, account.id, BY, world.clock.now())) == NEW
    assert world.read(lambda tx: acts.password_of(tx, act.id)) is None
    seen = world.read(lambda tx: observations.last(tx, account.id))
    assert seen is not None
    assert "UPDATE_PASSWORD" in seen.required_actions
    assert send_some(world.systems) == 0


@pytest.mark.supports("C1")
def test_a_reset_keeps_sessions_if_asked(world: World) -> None:
    """Somebody in the middle of work is not thrown out."""
    account, user = person(world)
    act = reset(world, account, keep_sessions=True)
    world.work()
    assert (user.password, set(user.tokens)) == (NEW, {"browser", "offline"})
    assert "sessions are kept" in str(ended(world, act)[1])


@pytest.mark.supports("C1", "F7")
def test_a_reset_by_mail_is_mailed_once_when_it_is_in_place(world: World) -> None:
    """Not before; and then the password leaves our database."""
    account, _ = person(world)
    act = reset(world, account, mail=True)
    assert send_some(world.systems) == 0
    world.work()
    assert Lane.MAIL in world.wake.woken
    assert send_some(world.systems) == 1
    [mail] = world.mailer.sent
    assert NEW in mail.text
    assert "reset" in mail.text
    assert mail.to == account.email
    assert send_some(world.systems) == 0
    mailed = world.read(lambda tx: acts.get(tx, act.id))
    assert mailed is not None
    assert world.read(lambda tx: acts.password_of(tx, act.id)) is None
    assert "password reset mail to jo.lind@example.com sent" in told(world, account)


@pytest.mark.supports("C1", "F7")
def test_a_welcome_mail_that_has_not_left_is_given_up(world: World) -> None:
    """Its password is no longer good; nobody gets two."""
    account = world.join()
    world.work()
    reset(world, account, mail=True)
    world.work()
    while send_some(world.systems):
        pass
    [mail] = world.mailer.sent
    assert NEW in mail.text
    assert "welcome mail to jo.lind@example.com failed" in told(world, account)


@pytest.mark.supports("C1")
def test_a_second_reset_replaces_one_that_waits(world: World) -> None:
    """The password that counts is the one given last, and only that is ever given."""
    account, user = person(world)
    first = reset(world, account)
    second = reset(world, account, NEWER)
    world.work()
    assert world.credentials.given == [NEWER]
    assert user.password == NEWER
    assert ended(world, first) == (ActState.FAILED, asking.REPLACED)
    assert ended(world, second)[0] is ActState.DONE


@pytest.mark.supports("C1")
def test_an_unused_temporary_password_is_taken_away_in_time(world: World) -> None:
    """The sweep comes to it although nobody looks at the account any more."""
    account, user = person(world)
    reset(world, account)
    world.work()
    world.pass_time(HOURS - 1)
    assert Lane.BULK not in sweep(world.systems)
    world.pass_time(2)
    assert Lane.BULK in sweep(world.systems)
    world.work(Lane.BULK)
    assert user.password is None
    assert told(world, account)[-1] == "expire-password done"
    assert Lane.BULK not in sweep(world.systems)


@pytest.mark.supports("C1")
def test_a_password_of_the_person_s_own_is_left_alone(world: World) -> None:
    """It was changed at the first login, as it should be."""
    account, user = person(world)
    reset(world, account)
    world.work()
    set_password(user, "My-own-one-8", world.clock.now() + timedelta(hours=1))
    world.pass_time(HOURS + 1)
    sweep(world.systems)
    world.work(Lane.BULK)
    assert user.password == "My-own-one-8"
    [expiry] = [e for e in world.read(lambda tx: read_timeline(tx, account.id)) if "expire" in e.title]
    assert expiry.details == ("the temporary password was replaced in time",)


@pytest.mark.supports("C1")
def test_a_reset_that_comes_too_late_is_not_done(world: World) -> None:
    """Keycloak was away for longer than the password is good."""
    account, user = person(world)
    act = reset(world, account)
    world.pass_time(HOURS + 1)
    world.work()
    assert user.password == "Own-password-7"
    assert ended(world, act)[0] is ActState.FAILED


@pytest.mark.supports("C1")
def test_keycloak_mails_a_link(world: World) -> None:
    """The outcome says to which address."""
    account, user = person(world)
    act = ask(world, account, "mail")
    world.work()
    assert world.credentials.mails == [user.id]
    assert ended(world, act) == (ActState.DONE, f"Keycloak has sent a mail to {account.email}")


@pytest.mark.supports("C2")
def test_a_change_is_required_of_one(world: World) -> None:
    """Sessions stay."""
    account, user = person(world)
    ask(world, account, "change")
    world.work()
    assert user.required_actions == {"UPDATE_PASSWORD"}
    assert user.tokens


@pytest.mark.supports("C2")
def test_a_change_is_required_of_a_branch(world: World) -> None:
    """Of its active accounts, in the bulk lane, each with its own line in the timeline; of nobody else."""
    here = [world.join(f"p{number}.here", employee_number=f"H{number}") for number in range(3)]
    other = world.join("o.there", branch=next(key for key in POLICY.branches if key != BRANCH.key))
    gone = world.join("g.gone", employee_number="G")
    world.work()
    leave(world, gone.id, GatePolicy.FORCE)
    world.work()
    for each in (*here, other, gone):
        world.user(each).required_actions.clear()

    def command(tx: Tx) -> int:
        chosen = asking.active_accounts(tx, Scope.of_branch(BRANCH.key), AccountQuery(limit=1))
        return asking.require_password_changes(tx, POLICY, chosen, BY, world.clock.now())

    assert world.do(command) == 3
    world.work()
    assert not world.user(here[0]).required_actions
    world.work(Lane.BULK)
    assert [bool(world.user(each).required_actions) for each in (*here, other, gone)] == [True] * 3 + [False] * 2
    assert told(world, here[0])[-2:] == ["require-password-change", "require-password-change done"]


@pytest.mark.supports("C3")
@pytest.mark.parametrize(
    ("lock", "outcome"),
    [
        (LockState(temporary=True, failures=5), "it was locked for a time, after 5 failures"),
        (LockState(permanent=True, failures=9), "it was locked permanently"),
        (LockState(), "it was not locked"),
    ],
)
def test_an_unlock_says_which_it_was(world: World, lock: LockState, outcome: str) -> None:
    """And the person can log in."""
    account, user = person(world)
    user.lock, user.enabled = lock, not lock.permanent
    act = ask(world, account, "unlock")
    world.work()
    assert ended(world, act) == (ActState.DONE, outcome)
    assert (user.lock, user.enabled) == (LockState(), True)
    seen = world.read(lambda tx: observations.last(tx, account.id))
    assert seen is not None
    assert (seen.lock, seen.enabled) == (LockState(), True)


@pytest.mark.supports("C3", "D6")
def test_an_unlock_switches_no_leaver_on(world: World) -> None:
    """Whoever is wanted inactive stays out."""
    account, user = person(world)
    leave(world, account.id, GatePolicy.FORCE)
    world.work()
    user.lock = LockState(permanent=True)
    act = ask(world, account, "unlock")
    world.work()
    assert not user.enabled
    assert "stays switched off" in str(ended(world, act)[1])


@pytest.mark.supports("D6")
def test_sessions_are_ended(world: World) -> None:
    """Online and offline; the password stays."""
    account, user = person(world)
    act = ask(world, account, "sessions")
    world.work()
    assert (user.tokens, user.password) == ({}, "Own-password-7")
    assert ended(world, act)[0] is ActState.DONE


@pytest.mark.supports("C6")
def test_a_lost_phone(world: World) -> None:
    """The second factor is gone, and the phone's sessions; how the identity was checked stands in the timeline."""
    account, user = person(world)
    act = ask(world, account, "factor")
    world.work()
    assert [each.type for each in user.credentials if each.type == "otp"] == []
    assert user.tokens == {}
    assert ended(world, act)[1] == "1 taken away (otp); sessions and offline tokens are ended"
    [asked] = [e for e in world.read(lambda tx: read_timeline(tx, account.id)) if e.title == str(act.kind)]
    assert f"identity check: {CHECK}" in asked.details
    assert asked.reason == BY.reason


@pytest.mark.supports("H1", "C1")
def test_a_act_before_the_user_exists_waits_for_it(world: World) -> None:
    """Created and reset in one go."""
    account = world.join()
    act = reset(world, account)
    world.work()
    assert world.user(account).password == NEW
    assert ended(world, act)[0] is ActState.DONE


@pytest.mark.supports("D7")
def test_a_act_on_a_leaver_does_not_bring_it_back(world: World) -> None:
    """Ending sessions of an inactive account changes nothing else."""
    account, user = person(world)
    leave(world, account.id, GatePolicy.FORCE)
    world.work()
    ask(world, account, "sessions")
    world.work()
    assert not user.enabled
    world.do(lambda tx: reactivate(tx, POLICY, account.id, BY, world.clock.now()))
    world.work()
    assert user.enabled


@pytest.mark.supports("A7")
@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_asked_without_a_reason(world: World, act: str) -> None:
    """And nothing is stored."""
    account, _ = person(world)
    silent = wanted_by("dana", " ")
    with pytest.raises(Refused, match="reason"):
        ask(world, account, act, silent)
    assert world.read(lambda tx: acts.of_account(tx, account.id)) == ()


@pytest.mark.supports("C6")
def test_a_second_factor_is_not_reset_without_a_check(world: World) -> None:
    """Whoever calls may be the thief."""
    account, _ = person(world)
    with pytest.raises(Refused, match="identity check"):
        world.do(lambda tx: asking.reset_second_factor(tx, POLICY, account.id, " ", BY, world.clock.now()))


@pytest.mark.supports("C1")
@pytest.mark.parametrize("act", ["reset", "mail", "change"])
def test_a_leaver_gets_no_password(world: World, act: str) -> None:
    """The message says what to do first."""
    account, _ = person(world)
    leave(world, account.id, GatePolicy.FORCE)
    with pytest.raises(Refused, match="reactivate it first"):
        ask(world, account, act)
