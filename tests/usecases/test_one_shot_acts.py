"""One-shot acts from the door to Keycloak: once, in order, and what is told when a worker dies over one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from sync.domain import vocabulary
from sync.domain.account import Account
from sync.domain.account_change import Actor, Door
from sync.domain.circuit import FAILURES_TO_OPEN, Admission, CircuitName
from sync.domain.commands import PASSWORD, Command, CommandState, Credential
from sync.domain.errors import Failure, Misconfigured, NeedsPerson, Refused, Transient
from sync.domain.gate import GatePolicy
from sync.domain.lane import Lane
from sync.domain.observed import ACCOUNT_ID, LockState
from sync.ports.credentials import MayHaveBeenSent
from sync.store import accounts, circuits, commands, history, observations, provisioning, work_state
from sync.store.database import Tx
from sync.store.query import AccountQuery, Scope
from sync.usecases import commands as asking
from sync.usecases.change_account import InitialPassword, deactivate, reactivate
from sync.usecases.lease import LEASE
from sync.usecases.provision import provision_some
from sync.usecases.send_mail import send_some
from sync.usecases.sweep import sweep
from tests.fakes.accounts import FakeUser
from tests.fakes.credentials import set_password
from tests.usecases.conftest import BRANCH, BY, POLICY, World

NEW, NEWER = "abcd-efgh-jkmn-pqrs-tuvw-xyz2", "bcde-fghj-kmnp-qrst-uvwx-yz23"
HOURS = timedelta(hours=POLICY.realm.temporary_password_hours).total_seconds()
CHECK = "called back on the number in the staff list"


class Killed(BaseException):
    """What a kill -9 does: nothing after it runs."""


def person(world: World, **wanted: str | None) -> tuple[Account, FakeUser]:
    """Somebody at work, with a password of the own, a code on the phone, and sessions."""
    joined = world.join(**wanted)
    world.work()
    send_some(world.site)
    user = world.user(joined)
    set_password(user, "Own-password-7", world.clock.now() - timedelta(days=3))
    user.required_actions.clear()
    user.credentials.append(Credential("otp-1", "otp", world.clock.now()))
    user.tokens.update({"browser": None, "offline": "mobile"})
    world.accounts.applied.clear()
    world.mailer.sent.clear()
    account = world.read(lambda tx: accounts.get(tx, joined.id))
    assert account is not None
    return account, user


def reset(
    world: World, account: Account, password: str = NEW, *, mail: bool = False, keep_sessions: bool = False
) -> Command:
    given = InitialPassword(password, "mail" if mail else "shown")
    return world.do(
        lambda tx: asking.reset_password(
            tx, POLICY, account.id, given, BY, world.clock.now(), keep_sessions=keep_sessions
        )
    )


Ask = Callable[[Tx, World, Account], Command]

ACTS: dict[str, Ask] = {
    "reset": lambda tx, world, account: asking.reset_password(
        tx, POLICY, account.id, InitialPassword(NEW, "mail"), BY, world.clock.now()
    ),
    "mail": lambda tx, world, account: asking.send_password_mail(tx, account.id, BY, world.clock.now()),
    "change": lambda tx, world, account: asking.require_password_change(tx, account.id, BY, world.clock.now()),
    "unlock": lambda tx, world, account: asking.unlock(tx, account.id, BY, world.clock.now()),
    "sessions": lambda tx, world, account: asking.end_sessions(tx, account.id, BY, world.clock.now()),
    "factor": lambda tx, world, account: asking.reset_second_factor(tx, account.id, CHECK, BY, world.clock.now()),
}


def ask(world: World, account: Account, act: str) -> Command:
    return world.do(lambda tx: ACTS[act](tx, world, account))


def ended(world: World, command: Command) -> tuple[CommandState, str | None]:
    found = world.read(lambda tx: commands.get(tx, command.id))
    assert found is not None
    return found.state, found.outcome


def told(world: World, account: Account) -> list[str]:
    return [entry.title for entry in world.read(lambda tx: history.timeline(tx, account.id))]


# what each does


@pytest.mark.req("C1", "D6")
def test_a_reset_gives_a_new_password_and_ends_everything(world: World) -> None:
    """The new one has to be changed; sessions and offline tokens are gone; nothing secret is left in our
    database."""
    account, user = person(world)
    command = reset(world, account)
    world.work()
    assert (user.password, user.required_actions, user.tokens) == (NEW, {"UPDATE_PASSWORD"}, {})
    state, outcome = ended(world, command)
    assert state is CommandState.DONE
    assert "sessions and offline tokens are ended" in str(outcome)
    assert world.read(lambda tx: commands.password_of(tx, command.id)) is None
    assert told(world, account)[-2:] == ["reset-password", "reset-password done"]
    seen = world.read(lambda tx: observations.last(tx, account.id))
    assert seen is not None
    assert "UPDATE_PASSWORD" in seen.required_actions
    assert send_some(world.site) == 0


@pytest.mark.req("C1")
def test_a_reset_keeps_sessions_if_asked(world: World) -> None:
    """Somebody in the middle of work is not thrown out."""
    account, user = person(world)
    command = reset(world, account, keep_sessions=True)
    world.work()
    assert (user.password, set(user.tokens)) == (NEW, {"browser", "offline"})
    assert "sessions are kept" in str(ended(world, command)[1])


@pytest.mark.req("C1", "F7")
def test_a_reset_by_mail_is_mailed_once_when_it_is_in_place(world: World) -> None:
    """Not before; and then the password leaves our database."""
    account, _ = person(world)
    command = reset(world, account, mail=True)
    assert send_some(world.site) == 0
    world.work()
    assert Lane.MAIL in world.wake.woken
    assert send_some(world.site) == 1
    [mail] = world.mailer.sent
    assert NEW in mail.text
    assert "reset" in mail.text
    assert mail.to == account.email
    assert send_some(world.site) == 0
    mailed = world.read(lambda tx: commands.get(tx, command.id))
    assert mailed is not None
    assert world.read(lambda tx: commands.password_of(tx, command.id)) is None
    assert "password reset mail to jo.lind@example.com sent" in told(world, account)


@pytest.mark.req("C1", "F7")
def test_a_welcome_mail_that_has_not_left_is_given_up(world: World) -> None:
    """Its password is no longer good; nobody gets two."""
    account = world.join()
    world.work()
    reset(world, account, mail=True)
    world.work()
    while send_some(world.site):
        pass
    [mail] = world.mailer.sent
    assert NEW in mail.text
    assert "welcome mail to jo.lind@example.com failed" in told(world, account)


@pytest.mark.req("C1")
def test_a_second_reset_replaces_one_that_waits(world: World) -> None:
    """The password that counts is the one given last, and only that is ever given."""
    account, user = person(world)
    first = reset(world, account)
    second = reset(world, account, NEWER)
    world.work()
    assert world.credentials.given == [NEWER]
    assert user.password == NEWER
    assert ended(world, first) == (CommandState.FAILED, asking.REPLACED)
    assert ended(world, second)[0] is CommandState.DONE


@pytest.mark.req("C1")
def test_an_unused_temporary_password_is_taken_away_in_time(world: World) -> None:
    """The sweep comes to it although nobody looks at the account any more."""
    account, user = person(world)
    reset(world, account)
    world.work()
    world.pass_time(HOURS - 1)
    assert Lane.BULK not in sweep(world.site)
    world.pass_time(2)
    assert Lane.BULK in sweep(world.site)
    world.work(Lane.BULK)
    assert user.password is None
    assert told(world, account)[-1] == "expire-password done"
    assert Lane.BULK not in sweep(world.site)


@pytest.mark.req("C1")
def test_a_password_of_the_person_s_own_is_left_alone(world: World) -> None:
    """It was changed at the first login, as it should be."""
    account, user = person(world)
    reset(world, account)
    world.work()
    set_password(user, "My-own-one-8", world.clock.now() + timedelta(hours=1))
    world.pass_time(HOURS + 1)
    sweep(world.site)
    world.work(Lane.BULK)
    assert user.password == "My-own-one-8"
    [expiry] = [e for e in world.read(lambda tx: history.timeline(tx, account.id)) if "expire" in e.title]
    assert expiry.details == ("the temporary password was replaced in time",)


@pytest.mark.req("C1")
def test_a_reset_that_comes_too_late_is_not_done(world: World) -> None:
    """Keycloak was away for longer than the password is good."""
    account, user = person(world)
    command = reset(world, account)
    world.pass_time(HOURS + 1)
    world.work()
    assert user.password == "Own-password-7"
    assert ended(world, command)[0] is CommandState.FAILED


@pytest.mark.req("C1")
def test_keycloak_mails_a_link(world: World) -> None:
    """The outcome says to which address."""
    account, user = person(world)
    command = ask(world, account, "mail")
    world.work()
    assert world.credentials.mails == [user.id]
    assert ended(world, command) == (CommandState.DONE, f"Keycloak has sent a mail to {account.email}")


@pytest.mark.req("C2")
def test_a_change_is_required_of_one(world: World) -> None:
    """Sessions stay."""
    account, user = person(world)
    ask(world, account, "change")
    world.work()
    assert user.required_actions == {"UPDATE_PASSWORD"}
    assert user.tokens


@pytest.mark.req("C2")
def test_a_change_is_required_of_a_branch(world: World) -> None:
    """Of its active accounts, in the bulk lane, each with its own line in the timeline; of nobody else."""
    here = [world.join(f"p{number}.here", employee_number=f"H{number}") for number in range(3)]
    other = world.join("o.there", branch=next(key for key in POLICY.branches if key != BRANCH.key))
    gone = world.join("g.gone", employee_number="G")
    world.work()
    world.do(lambda tx: deactivate(tx, POLICY, gone.id, GatePolicy.FORCE, BY, world.clock.now()))
    world.work()
    for each in (*here, other, gone):
        world.user(each).required_actions.clear()

    def command(tx: Tx) -> int:
        chosen = asking.active_accounts(tx, Scope.of_branch(BRANCH.key), AccountQuery(limit=1))
        return asking.require_password_changes(tx, chosen, BY, world.clock.now())

    assert world.do(command) == 3
    world.work()
    assert not world.user(here[0]).required_actions
    world.work(Lane.BULK)
    assert [bool(world.user(each).required_actions) for each in (*here, other, gone)] == [True] * 3 + [False] * 2
    assert told(world, here[0])[-2:] == ["require-password-change", "require-password-change done"]


@pytest.mark.req("C3")
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
    command = ask(world, account, "unlock")
    world.work()
    assert ended(world, command) == (CommandState.DONE, outcome)
    assert (user.lock, user.enabled) == (LockState(), True)
    seen = world.read(lambda tx: observations.last(tx, account.id))
    assert seen is not None
    assert (seen.lock, seen.enabled) == (LockState(), True)


@pytest.mark.req("C3", "D6")
def test_an_unlock_switches_no_leaver_on(world: World) -> None:
    """Whoever is wanted inactive stays out."""
    account, user = person(world)
    world.do(lambda tx: deactivate(tx, POLICY, account.id, GatePolicy.FORCE, BY, world.clock.now()))
    world.work()
    user.lock = LockState(permanent=True)
    command = ask(world, account, "unlock")
    world.work()
    assert not user.enabled
    assert "stays switched off" in str(ended(world, command)[1])


@pytest.mark.req("D6")
def test_sessions_are_ended(world: World) -> None:
    """Online and offline; the password stays."""
    account, user = person(world)
    command = ask(world, account, "sessions")
    world.work()
    assert (user.tokens, user.password) == ({}, "Own-password-7")
    assert ended(world, command)[0] is CommandState.DONE


@pytest.mark.req("C6")
def test_a_lost_phone(world: World) -> None:
    """The second factor is gone, and the phone's sessions; how the identity was checked stands in the timeline."""
    account, user = person(world)
    command = ask(world, account, "factor")
    world.work()
    assert [each.type for each in user.credentials if each.type == "otp"] == []
    assert user.tokens == {}
    assert ended(world, command)[1] == "1 taken away (otp); sessions and offline tokens are ended"
    [asked] = [e for e in world.read(lambda tx: history.timeline(tx, account.id)) if e.title == str(command.kind)]
    assert f"identity check: {CHECK}" in asked.details
    assert asked.reason == BY.reason


# what a door refuses


@pytest.mark.req("A7")
@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_asked_without_a_reason(world: World, act: str) -> None:
    """And nothing is stored."""
    account, _ = person(world)
    silent = Actor("dana", Door.COMMAND_LINE, " ")
    doors: dict[str, Callable[[Tx], object]] = {
        "reset": lambda tx: asking.reset_password(
            tx, POLICY, account.id, InitialPassword(NEW, "shown"), silent, world.clock.now()
        ),
        "mail": lambda tx: asking.send_password_mail(tx, account.id, silent, world.clock.now()),
        "change": lambda tx: asking.require_password_change(tx, account.id, silent, world.clock.now()),
        "unlock": lambda tx: asking.unlock(tx, account.id, silent, world.clock.now()),
        "sessions": lambda tx: asking.end_sessions(tx, account.id, silent, world.clock.now()),
        "factor": lambda tx: asking.reset_second_factor(tx, account.id, CHECK, silent, world.clock.now()),
    }
    with pytest.raises(Refused, match="reason"):
        world.do(doors[act])
    assert world.read(lambda tx: commands.of_account(tx, account.id)) == ()


@pytest.mark.req("C6")
def test_a_second_factor_is_not_reset_without_a_check(world: World) -> None:
    """Whoever calls may be the thief."""
    account, _ = person(world)
    with pytest.raises(Refused, match="identity check"):
        world.do(lambda tx: asking.reset_second_factor(tx, account.id, " ", BY, world.clock.now()))


@pytest.mark.req("C1")
@pytest.mark.parametrize("act", ["reset", "mail", "change"])
def test_a_leaver_gets_no_password(world: World, act: str) -> None:
    """The message says what to do first."""
    account, _ = person(world)
    world.do(lambda tx: deactivate(tx, POLICY, account.id, GatePolicy.FORCE, BY, world.clock.now()))
    with pytest.raises(Refused, match="reactivate it first"):
        ask(world, account, act)


# when something is wrong


@pytest.mark.req("H1")
@pytest.mark.parametrize("after_the_work", [False, True], ids=["before the write", "after the write"])
@pytest.mark.parametrize("act", ACTS)
def test_a_worker_dies_over_it(world: World, act: str, *, after_the_work: bool) -> None:
    """Started and not recorded: done in the end, and not twice; a mail that may have left is told to a person."""
    account, user = person(world)
    if act == "unlock":
        user.lock, user.enabled = LockState(permanent=True, failures=9), False
    command = ask(world, account, act)
    if act == "sessions":
        world.accounts.fail_next_apply(Killed(), after_the_work=after_the_work)
    else:
        world.credentials.fail_next(Killed(), after_the_work=after_the_work)
    with pytest.raises(Killed):
        world.work()
    assert ended(world, command)[0] is CommandState.STARTED
    world.pass_time(LEASE.total_seconds() + 1)
    sweep(world.site)
    world.work()

    state, outcome = ended(world, command)
    if act == "mail":
        assert state is CommandState.FAILED
        assert "may have been sent" in str(outcome)
        assert len(world.credentials.mails) == int(after_the_work)
    else:
        assert state is CommandState.DONE
    if act == "reset":
        assert world.credentials.given == [NEW]
        assert (user.password, user.tokens) == (NEW, {})
        assert send_some(world.site) == 1
        assert NEW in world.mailer.sent[0].text
    if act == "change":
        assert user.required_actions == {"UPDATE_PASSWORD"}
    if act == "unlock":
        assert outcome == "it was locked permanently"
        assert user.enabled
    if act in ("sessions", "factor"):
        assert user.tokens == {}
    titles = told(world, account)
    assert sum(title in {f"{command.kind} done", f"{command.kind} failed"} for title in titles) == 1


@pytest.mark.req("C1", "H1")
def test_a_person_who_was_faster_than_the_takeover_keeps_the_own_password(world: World) -> None:
    """The reset landed, its worker died, the person logged in and chose a password: it is not reset again."""
    account, user = person(world)
    command = reset(world, account)
    world.credentials.fail_next(Killed(), after_the_work=True)
    with pytest.raises(Killed):
        world.work()
    set_password(user, "My-own-one-8", world.clock.now() + timedelta(seconds=20))
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert user.password == "My-own-one-8"
    assert ended(world, command)[0] is CommandState.DONE


@pytest.mark.req("C1", "H1")
def test_a_password_that_nobody_can_explain_is_for_a_person(world: World) -> None:
    """It is neither the old one nor ours, and the realm keeps no history: nothing is overwritten by a guess."""
    account, user = person(world)
    command = reset(world, account)
    world.credentials.fail_next(Killed())
    with pytest.raises(Killed):
        world.work()
    user.credentials = [Credential("p", PASSWORD, world.clock.now() + timedelta(seconds=20))]
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    state, outcome = ended(world, command)
    assert (state, world.credentials.given) == (CommandState.FAILED, [])
    assert "reset it again" in str(outcome)


@pytest.mark.req("C2", "H1")
def test_a_change_that_was_made_meanwhile_is_not_asked_for_again(world: World) -> None:
    """One change is enough."""
    account, user = person(world)
    command = ask(world, account, "change")
    world.credentials.fail_next(Killed(), after_the_work=True)
    with pytest.raises(Killed):
        world.work()
    set_password(user, "My-own-one-8", world.clock.now() + timedelta(seconds=20))
    user.required_actions.clear()
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert user.required_actions == set()
    assert ended(world, command)[0] is CommandState.DONE


@pytest.mark.req("C6", "H1")
def test_a_second_factor_set_up_since_stays(world: World) -> None:
    """The old ones were taken, the worker died, the person has a new phone already."""
    account, user = person(world)
    command = ask(world, account, "factor")
    world.credentials.fail_next(Killed(), after_the_work=True)
    with pytest.raises(Killed):
        world.work()
    user.credentials.append(Credential("otp-new", "otp", world.clock.now()))
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert [each.id for each in user.credentials if each.type == "otp"] == ["otp-new"]
    assert ended(world, command)[0] is CommandState.DONE


@pytest.mark.req("H2")
@pytest.mark.parametrize("after_the_work", [False, True], ids=["not sent", "answer lost"])
def test_no_answer_comes_again_by_itself(world: World, *, after_the_work: bool) -> None:
    """Verified first, so once in the end; what was asked for later waits for it."""
    account, _ = person(world)
    first = reset(world, account)
    world.credentials.fail_next(Transient("no answer"), after_the_work=after_the_work)
    second = ask(world, account, "sessions")
    world.work()
    assert ended(world, first) == (CommandState.STARTED, "no answer")
    assert ended(world, second)[0] is CommandState.WAITING
    world.pass_time(3600)
    world.work()
    assert world.credentials.given == [NEW]
    assert ended(world, first)[0] is ended(world, second)[0] is CommandState.DONE
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.due_at is None


@pytest.mark.req("C1", "H2")
def test_a_mail_that_was_not_sent_is_sent_later(world: World) -> None:
    """Keycloak said that its mail server is away."""
    account, user = person(world)
    command = ask(world, account, "mail")
    world.credentials.fail_next(Transient("Keycloak could not send the mail"))
    world.work()
    assert ended(world, command)[0] is CommandState.WAITING
    world.pass_time(3600)
    world.work()
    assert world.credentials.mails == [user.id]
    assert ended(world, command)[0] is CommandState.DONE


@pytest.mark.req("H2")
@pytest.mark.parametrize(
    "failure", [Misconfigured("the realm cannot send mails"), MayHaveBeenSent("the mail may have been sent")]
)
def test_a_failed_one_says_why_and_holds_nothing_back(world: World, failure: Failure) -> None:
    """The account stays as wanted, and the next command goes."""
    account, _ = person(world)
    command = ask(world, account, "mail")
    world.credentials.fail_next(failure)
    after = ask(world, account, "sessions")
    world.work()
    assert ended(world, command) == (CommandState.FAILED, str(failure))
    assert ended(world, after)[0] is CommandState.DONE
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert (state.applied, state.quarantine, state.due_at) == (True, None, None)
    assert "set-password-mail failed" in told(world, account)


@pytest.mark.req("H2")
def test_while_keycloak_is_away_a_command_waits_untouched(world: World) -> None:
    """Nothing is started, no attempt of it is burnt."""
    account, _ = person(world)
    command = reset(world, account)
    world.accounts.fail_next(Transient("no answer"))
    provision_some(world.site, Lane.INTERACTIVE)
    assert ended(world, command) == (CommandState.WAITING, None)
    world.pass_time(3600)
    world.work()
    assert ended(world, command)[0] is CommandState.DONE


@pytest.mark.req("D6", "H2")
def test_while_fsm_is_away_sessions_end_all_the_same(world: World) -> None:
    """Only the question about work orders waits for the FSM system; who asks to end the sessions of somebody who
    leaves is not told to wait for it."""
    account, user = person(world, profile="technician", technician_id="T-1", employee_number="E-1")
    world.do(lambda tx: deactivate(tx, POLICY, account.id, GatePolicy.HOLD, BY, world.clock.now()))
    world.fsm.down = True
    for _ in range(6):
        world.work()
        world.pass_time(5)
    command = ask(world, account, "sessions")
    world.work()
    assert ended(world, command)[0] is CommandState.DONE
    assert user.tokens == {}
    assert user.enabled


@pytest.mark.req("C1", "H2")
def test_a_command_waits_for_a_user_that_cannot_be_made_yet(world: World) -> None:
    """A group is missing in the realm: once it is there the user is made, and then the command is carried out."""
    path = vocabulary.profile_group("dispatcher")
    roles = world.accounts.groups.pop(path)
    account = world.join()
    command = reset(world, account)
    world.work()
    assert ended(world, command) == (CommandState.WAITING, None)
    world.accounts.groups[path] = roles
    world.pass_time(3600)
    world.work()
    assert ended(world, command)[0] is CommandState.DONE


@pytest.mark.req("H2")
def test_a_probe_that_asked_nothing_closes_no_circuit(world: World) -> None:
    """In quarantine, with one command that comes again later and one behind it: nobody is asked, so nothing is
    known of Keycloak, and nobody is woken for it."""
    account, user = person(world)
    user.attributes[ACCOUNT_ID] = ("somebody-else",)
    world.do(lambda tx: provisioning.mark_due(tx, account.id, Lane.INTERACTIVE, world.clock.now()))
    world.work()
    first = ask(world, account, "sessions")
    ask(world, account, "factor")
    now = world.clock.now()
    later = now + timedelta(hours=1)
    world.do(lambda tx: commands.put_off(tx, first.id, later, "no answer", certainly_not_done=False))
    for _ in range(FAILURES_TO_OPEN):
        world.do(
            lambda tx: circuits.change(
                tx, CircuitName.KEYCLOAK, lambda row: row.failed("transient", "no answer", now, 0.5), now
            )
        )
    world.pass_time(60)
    asked = world.accounts.asked
    assert Lane.INTERACTIVE not in sweep(world.site)
    world.work()
    assert world.accounts.asked == asked
    assert not world.read(lambda tx: circuits.get(tx, CircuitName.KEYCLOAK)).closed


@pytest.mark.req("H2")
def test_who_has_no_user_closes_no_circuit(world: World) -> None:
    """In quarantine before a user was made, with a command: that it fails is known without asking Keycloak."""
    path = vocabulary.profile_group("dispatcher")
    world.accounts.groups[path].add("realm-management/view-users")
    account = world.join()
    world.work()
    command = ask(world, account, "sessions")
    now = world.clock.now()
    for _ in range(FAILURES_TO_OPEN):
        world.do(
            lambda tx: circuits.change(
                tx, CircuitName.KEYCLOAK, lambda row: row.failed("transient", "no answer", now, 0.5), now
            )
        )
    world.pass_time(60)
    asked = world.accounts.asked
    provision_some(world.site, Lane.INTERACTIVE)
    assert ended(world, command) == (CommandState.FAILED, "the account has no Keycloak user")
    assert world.accounts.asked == asked
    circuit = world.read(lambda tx: circuits.get(tx, CircuitName.KEYCLOAK))
    assert not circuit.closed
    assert circuit.admits(world.clock.now()) is Admission.PROBE


@pytest.mark.req("D6", "H2")
def test_in_quarantine_what_opens_no_way_in_goes(world: World) -> None:
    """Sessions end and the password is reset on a tampered account; the unlock waits for a person to have
    looked."""
    account, user = person(world)
    tampered = vocabulary.profile_group("dispatcher")
    world.accounts.groups[tampered].add("realm-management/view-users")
    user.groups.discard(tampered)
    world.do(lambda tx: provisioning.mark_due(tx, account.id, Lane.INTERACTIVE, world.clock.now()))
    world.work()
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.quarantine is not None

    unlock, sessions = ask(world, account, "unlock"), ask(world, account, "sessions")
    assert Lane.INTERACTIVE in sweep(world.site)
    world.work()
    assert user.tokens == {}
    assert ended(world, sessions)[0] is CommandState.DONE
    assert ended(world, unlock)[0] is CommandState.WAITING
    assert Lane.INTERACTIVE not in sweep(world.site)

    world.accounts.groups[tampered].discard("realm-management/view-users")
    world.do(lambda tx: provisioning.lift_quarantine(tx, account.id, Lane.INTERACTIVE, world.clock.now()))
    world.work()
    assert ended(world, unlock)[0] is CommandState.DONE


@pytest.mark.req("H2")
def test_in_quarantine_nothing_is_done_to_somebody_else_s_user(world: World) -> None:
    """The user carries another account's id: whose sessions these are nobody knows."""
    account, user = person(world)
    user.attributes[ACCOUNT_ID] = ("somebody-else",)
    world.do(lambda tx: provisioning.mark_due(tx, account.id, Lane.INTERACTIVE, world.clock.now()))
    world.work()
    command = ask(world, account, "sessions")
    world.work()
    state, outcome = ended(world, command)
    assert state is CommandState.FAILED
    assert "belongs to account somebody-else" in str(outcome)
    assert user.tokens


@pytest.mark.req("H1")
def test_two_workers_at_once_do_it_once(world: World) -> None:
    """The second finds nothing to claim; after a takeover the first writes nothing any more."""
    account, _ = person(world)
    command = reset(world, account)
    with world.site.db.write() as tx:
        [mine] = provisioning.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 1)
    world.work()
    assert world.credentials.given == []
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert world.credentials.given == [NEW]
    with world.site.db.write() as tx:
        assert not provisioning.holds(tx, mine)
    assert ended(world, command)[0] is CommandState.DONE


@pytest.mark.req("H1", "C1")
def test_a_command_before_the_user_exists_waits_for_it(world: World) -> None:
    """Created and reset in one go."""
    account = world.join()
    command = reset(world, account)
    world.work()
    assert world.user(account).password == NEW
    assert ended(world, command)[0] is CommandState.DONE


@pytest.mark.req("D7")
def test_a_command_on_a_leaver_does_not_bring_it_back(world: World) -> None:
    """Ending sessions of an inactive account changes nothing else."""
    account, user = person(world)
    world.do(lambda tx: deactivate(tx, POLICY, account.id, GatePolicy.FORCE, BY, world.clock.now()))
    world.work()
    ask(world, account, "sessions")
    world.work()
    assert not user.enabled
    world.do(lambda tx: reactivate(tx, POLICY, account.id, BY, world.clock.now()))
    world.work()
    assert user.enabled


@pytest.mark.req("H2")
def test_an_unforeseen_error_fails_the_command_alone(world: World) -> None:
    """It is logged, told, and nothing spins."""
    account, _ = person(world)
    command = ask(world, account, "change")
    world.credentials.fail_next(ValueError("surprise"))
    world.work()
    assert ended(world, command) == (
        CommandState.FAILED,
        str(NeedsPerson("unforeseen error of type ValueError; the worker's log has more")),
    )
