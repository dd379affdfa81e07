"""One-shot acts as scenarios of the crash tests: what a person asks to be done once, and what must be true of it
however often a process ended or froze on the way.
"""

from __future__ import annotations

from collections.abc import Callable

from sync.domain.account import Account
from sync.domain.commands import SECOND_FACTORS, Command, CommandKind, CommandState, Credential
from sync.domain.lane import Lane
from sync.domain.observed import LockState
from sync.store import commands
from sync.store.database import Tx
from sync.usecases import commands as asking
from sync.usecases.acts import MAY_HAVE_BEEN_SENT
from sync.usecases.change_account import InitialPassword
from sync.usecases.command import perform
from sync.usecases.site import Site
from tests.chaos.crash_place import BY, Place
from tests.chaos.scenarios import Scenario

NEW = InitialPassword("abcd-efgh-jkmn-pqrs-tuvw-xyz2", "shown")


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


def _once(ask: Callable[[Tx, Site, Account], Command]) -> Callable[[Site, Account], object]:
    """Whoever got no answer looks at the account first, and does not ask for the same act again."""

    def wish(site: Site, account: Account) -> object:
        def unless_asked(tx: Tx) -> Command | None:
            return None if commands.of_account(tx, account.id) else ask(tx, site, account)

        return perform(site, unless_asked, wakes=Lane.INTERACTIVE)

    return wish


def _asked(place: Place, account: Account) -> Command:
    """The one act there is, beside the expiry that a reset leaves behind."""
    [found] = [
        each
        for each in place.read(lambda tx: commands.of_account(tx, account.id))
        if each.kind is not CommandKind.EXPIRE_PASSWORD
    ]
    return found


def _done(place: Place, account: Account) -> None:
    asked = _asked(place, account)
    assert asked.state is CommandState.DONE, f"{asked.kind} is {asked.state}: {asked.outcome}"


def _reset(place: Place, account: Account) -> None:
    _done(place, account)
    user = place.user(account.id)
    assert user.password == NEW.password
    assert set(place.foreign.credentials.given) == {NEW.password}
    assert user.tokens == {}
    expiries = [
        each
        for each in place.read(lambda tx: commands.of_account(tx, account.id))
        if each.kind is CommandKind.EXPIRE_PASSWORD
    ]
    assert len(expiries) == 1, f"{len(expiries)} expiries of one password"


def _mailed(place: Place, account: Account) -> None:
    """At most once; whoever reads that it may have been sent knows why."""
    asked, mails = _asked(place, account), place.foreign.credentials.mails
    assert len(mails) <= 1, f"{len(mails)} mails"
    if asked.state is CommandState.DONE:
        assert len(mails) == 1, "the mail is told as sent and was not"
    else:
        assert (asked.state, asked.outcome) == (CommandState.FAILED, MAY_HAVE_BEEN_SENT)


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
        _once(lambda tx, site, who: asking.reset_password(tx, site.policy, who.id, NEW, BY, site.clock.now())),
        _reset,
        main=True,
    ),
    Scenario(
        "let Keycloak send a mail",
        _at_work,
        _once(lambda tx, site, who: asking.send_password_mail(tx, who.id, BY, site.clock.now())),
        _mailed,
        main=True,
    ),
    Scenario(
        "take the second factor",
        _at_work,
        _once(lambda tx, site, who: asking.reset_second_factor(tx, who.id, "called back", BY, site.clock.now())),
        _no_factor,
    ),
    Scenario(
        "end the sessions",
        _at_work,
        _once(lambda tx, site, who: asking.end_sessions(tx, who.id, BY, site.clock.now())),
        _no_sessions,
    ),
    Scenario(
        "unlock",
        _locked_out,
        _once(lambda tx, site, who: asking.unlock(tx, who.id, BY, site.clock.now())),
        _unlocked,
    ),
)
