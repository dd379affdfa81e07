"""One-shot acts as scenarios of the crash tests: what a person asks to be done once, and what must be true of it
however often a process ended or froze on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sync.commands import acts as asking
from sync.commands.accounts.initial_password import InitialPassword
from sync.commands.deactivation.deactivate import deactivate_account
from sync.commands.perform import perform
from sync.domain.accounts.account import Account
from sync.domain.acts import PASSWORD, SECOND_FACTORS, Act, ActKind, ActState, Credential, password_created_at
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.provisioning.observed import UPDATE_PASSWORD, LockState
from sync.domain.work.lane import Lane
from sync.jobs.acts.doing import MAY_HAVE_BEEN_SENT
from sync.jobs.schedule.sweep import sweep
from sync.jobs.systems import Systems
from sync.store import acts
from sync.store.audit.timeline import read_timeline
from sync.store.database.transactions import Tx
from tests.chaos.crash_place import BY, Place
from tests.chaos.scenarios import Scenario
from tests.fakes.signals import FakeClock

NEW = InitialPassword("abcd-efgh-jkmn-pqrs-tuvw-xyz2", "shown")
NEWER = InitialPassword("bcde-fghj-kmnp-qrst-uvwx-yz23", "shown")
BY_MAIL = replace(NEW, delivery="mail")


def _at_work(place: Place) -> Account:
    """Somebody with a code on the phone and two sessions."""
    account = place.join()
    place.settle()
    user = place.user(account.id)
    user.credentials.append(Credential("otp-1", "otp", place.now()))
    user.tokens.update({"browser": None, "mobile": "mobile"})
    return account


def _locked_out(place: Place) -> Account:
    account = _at_work(place)
    user = place.user(account.id)
    user.enabled, user.lock = False, LockState(permanent=True)
    return account


def _with_temporary_password(place: Place) -> Account:
    account = _at_work(place)
    place.write(lambda tx: asking.reset_password(tx, place.systems.policy, account.id, NEW, BY, place.now()))
    place.settle()
    return account


def _time_runs_out(systems: Systems, _: Account) -> object:
    clock = systems.clock
    assert isinstance(clock, FakeClock)
    clock.advance(timedelta(hours=systems.policy.realm.temporary_password_hours))
    return sweep(systems)


def _deactivate(systems: Systems, account: Account) -> object:
    return deactivate_account(systems, account.id, GatePolicy.REFUSE, BY)


def _reset_again(systems: Systems, account: Account) -> object:
    """Told apart from the first one by its sessions."""

    def again(tx: Tx) -> Act:
        return asking.reset_password(
            tx, systems.policy, account.id, NEWER, BY, systems.clock.now(), keep_sessions=True
        )

    return perform(systems, again, wakes=Lane.INTERACTIVE)


def _once(ask: Callable[[Tx, Systems, Account], Act]) -> Callable[[Systems, Account], object]:
    """Whoever got no answer looks at the account first, and does not ask for the same act again."""

    def wish(systems: Systems, account: Account) -> object:
        def unless_asked(tx: Tx) -> Act | None:
            return None if acts.of_account(tx, account.id) else ask(tx, systems, account)

        return perform(systems, unless_asked, wakes=Lane.INTERACTIVE)

    return wish


def _asked(place: Place, account: Account) -> Act:
    """The one act there is, beside the expiry that a reset leaves behind."""
    [found] = [
        each
        for each in place.read(lambda tx: acts.of_account(tx, account.id))
        if each.kind is not ActKind.EXPIRE_PASSWORD
    ]
    return found


def _done(place: Place, account: Account) -> None:
    asked = _asked(place, account)
    assert asked.state is ActState.DONE, f"{asked.kind} is {asked.state}: {asked.outcome}"


def _reset(place: Place, account: Account) -> None:
    _done(place, account)
    user = place.user(account.id)
    assert user.password == NEW.password
    _given(place, NEW)
    assert user.tokens == {}
    expiries = _expiries(place, account)
    assert len(expiries) == 1, f"{len(expiries)} expiries of one password"


def _given(place: Place, *passwords: InitialPassword) -> None:
    assert {*place.foreign.credentials.given} <= {each.password for each in passwords}


def _expiries(place: Place, account: Account) -> list[Act]:
    found = place.read(lambda tx: acts.of_account(tx, account.id))
    return [each for each in found if each.kind is ActKind.EXPIRE_PASSWORD]


def _newer_or_for_its_time(place: Place, account: Account) -> None:
    """The newer one is in place. If a late request put the older one back, it goes in its time."""
    _given(place, NEW, NEWER)
    user = place.user(account.id)
    if user.password != NEWER.password:
        assert user.password == NEW.password
        made = password_created_at(user.credentials)
        assert made in [each.stamp for each in _expiries(place, account) if each.is_open]


def _reset_by_mail(place: Place, account: Account) -> None:
    """The password that is in place is the one in the mail, which went at most once."""
    _reset(place, account)
    sent = [mail for mail in place.foreign.mailer.sent if NEW.password in mail.text]
    assert len(sent) <= 1, f"{len(sent)} mails"
    timeline = place.read(lambda tx: read_timeline(tx, account.id))
    told = [entry.title for entry in timeline if entry.title.startswith("password reset mail")]
    assert len(told) == 2, f"waits, and one end: {told}"


def _run_out(place: Place, account: Account) -> None:
    """Nobody logs in with it any more, and the timeline tells once that it was taken away."""
    user = place.user(account.id)
    assert user.password is None
    assert [each for each in user.credentials if each.type == PASSWORD] == []
    ended = place.read(lambda tx: acts.of_account(tx, account.id))
    assert {each.state for each in ended} == {ActState.DONE}, [str(each.outcome) for each in ended]


def _must_change(place: Place, account: Account) -> None:
    _done(place, account)
    assert UPDATE_PASSWORD in place.user(account.id).required_actions


def _mailed(place: Place, account: Account) -> None:
    """At most once; whoever reads that it may have been sent knows why."""
    asked, mails = _asked(place, account), place.foreign.credentials.mails
    assert len(mails) <= 1, f"{len(mails)} mails"
    if asked.state is ActState.DONE:
        assert len(mails) == 1, "the mail is told as sent and was not"
    else:
        assert (asked.state, asked.outcome) == (ActState.FAILED, MAY_HAVE_BEEN_SENT)


def _no_factor(place: Place, account: Account) -> None:
    _done(place, account)
    user = place.user(account.id)
    assert [each.id for each in user.credentials if each.type in SECOND_FACTORS] == []
    assert user.tokens == {}


def _no_sessions(place: Place, account: Account) -> None:
    _done(place, account)
    assert place.user(account.id).tokens == {}


def _unlocked(place: Place, account: Account) -> None:
    _done(place, account)
    assert _asked(place, account).outcome == "it was locked permanently"
    assert place.user(account.id).enabled


ACTS = (
    Scenario(
        "reset a password",
        _at_work,
        _once(
            lambda tx, systems, who: asking.reset_password(
                tx, systems.policy, who.id, NEW, BY, systems.clock.now()
            )
        ),
        _reset,
        instead=_reset_again,
        and_then=_newer_or_for_its_time,
        main=True,
    ),
    Scenario(
        "reset a password by mail",
        _at_work,
        _once(
            lambda tx, systems, who: asking.reset_password(
                tx, systems.policy, who.id, BY_MAIL, BY, systems.clock.now()
            )
        ),
        _reset_by_mail,
        instead=_deactivate,
    ),
    Scenario("take a temporary password away", _with_temporary_password, _time_runs_out, _run_out),
    Scenario(
        "require another password",
        _at_work,
        _once(
            lambda tx, systems, who: asking.require_password_change(
                tx, systems.policy, who.id, BY, systems.clock.now()
            )
        ),
        _must_change,
        instead=_deactivate,
    ),
    Scenario(
        "let Keycloak send a mail",
        _at_work,
        _once(
            lambda tx, systems, who: asking.send_password_mail(tx, systems.policy, who.id, BY, systems.clock.now())
        ),
        _mailed,
        main=True,
    ),
    Scenario(
        "take the second factor",
        _at_work,
        _once(
            lambda tx, systems, who: asking.reset_second_factor(
                tx, systems.policy, who.id, "called back", BY, systems.clock.now()
            )
        ),
        _no_factor,
    ),
    Scenario(
        "end the sessions",
        _at_work,
        _once(lambda tx, systems, who: asking.end_sessions(tx, systems.policy, who.id, BY, systems.clock.now())),
        _no_sessions,
    ),
    Scenario(
        "unlock",
        _locked_out,
        _once(lambda tx, systems, who: asking.unlock(tx, systems.policy, who.id, BY, systems.clock.now())),
        _unlocked,
        instead=_deactivate,
    ),
)
