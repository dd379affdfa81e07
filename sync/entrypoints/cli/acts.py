"""`fsm-identity account`, one-shot acts: reset a password, unlock, end sessions and the like (C1-C3, C6, D6).

Each is stored as an act and carried out once by a worker; `--wait` watches it and tells how it ended.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from mappings.policy import Policy
from sync.commands import acts
from sync.commands.accounts.initial_password import InitialPassword, generate
from sync.commands.perform import perform
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.named import keys_named
from sync.domain.acts import Act, ActState
from sync.domain.errors import Problem, Refused
from sync.domain.wording import counted
from sync.domain.work.lane import Lane
from sync.entrypoints.cli.accounts.person import Who, the_account
from sync.entrypoints.cli.terminal.output import AsJson, Reason, actor, failures_shown, print_json, say, stop, warn
from sync.entrypoints.cli.waiting import Timeout, Wait, wait_for_act
from sync.store.accounts.query import AccountQuery
from sync.store.database.transactions import Tx
from sync.views.accounts.account import account_view
from sync.wiring.doors import open_desk

app = typer.Typer()

KeepSessions = Annotated[bool, typer.Option("--keep-sessions", help="Leave sessions and offline tokens alone.")]

SHOWN_WITHIN_SECONDS = 10
"""So long somebody on the telephone waits for a password."""

HANDING_OVER = "the temporary password is handed over"

Ask = Callable[[Tx, Desk, Account, Cause], Act]
Plain = Callable[[Tx, Policy, str, Cause, datetime], Act]


@dataclass(frozen=True, slots=True)
class Showing:
    """What the one at the command line wants to see of it; `timeout` is in seconds. `password`: the temporary one
    of a reset, once it is in place."""

    wait: bool
    timeout: int
    as_json: bool
    password: bool = False


@app.command("reset-password")
def reset_password(
    who: Who,
    reason: Reason,
    mail: Annotated[bool, typer.Option(help="Mail the password instead of showing it here.")] = False,
    keep_sessions: KeepSessions = False,
    unlock_too: Annotated[
        bool | None,
        typer.Option("--unlock/--keep-locked", help="End a lockout as well; asked where there is one."),
    ] = None,
    wait: Wait = True,
    timeout: Timeout = SHOWN_WITHIN_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Give a new temporary password that must be changed at the next login; it runs out unused. It ends no
    lockout.

    It is shown once it is in place, and not before; later by `show-password`.
    """
    password = InitialPassword(generate(), "mail" if mail else "shown")
    with failures_shown():
        desk = open_desk()
        unlocks = _unlocks_too(desk, the_account(desk, who), unlock_too, ask=not as_json)

    def reset(tx: Tx, desk: Desk, account: Account, by: Cause) -> Act:
        now = desk.clock.now()
        if unlocks:
            acts.unlock(tx, desk.policy, account.id, by, now)
        return acts.reset_password(tx, desk.policy, account.id, password, by, now, keep_sessions=keep_sessions)

    _one(who, reason, reset, Showing(wait, timeout, as_json, password=not mail))


def _unlocks_too(desk: Desk, account: Account, wanted: bool | None, *, ask: bool) -> bool:
    """Whether a lockout is to be ended as well. Whoever did not say is asked, or told where nobody can be."""
    with desk.db.read() as tx:
        lockout = account_view(tx, Scope.all(), account.id, desk.clock.now()).lockout
    if wanted is not None or not lockout:
        return bool(wanted)
    if ask and sys.stdin.isatty():
        return typer.confirm(f"{account.username} is locked out {lockout}. Unlock as well?")
    warn(f"{account.username} is locked out {lockout}: a new password does not end that, --unlock does")
    return False


@app.command("show-password")
def show_password(
    who: Who,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the history.")] = HANDING_OVER,
    as_json: AsJson = False,
) -> None:
    """Show the temporary password of the last reset or of a new account, once it is in place, and once: then it is
    erased here."""
    with failures_shown():
        desk = open_desk()
        account = the_account(desk, who)
        password = taken(desk, account, actor(reason))
        if as_json:
            print_json({"username": account.username, "temporary_password": password})
        else:
            say(f"{account.username}: temporary password, shown once: {password}")


@app.command("set-password-mail")
def set_password_mail(
    who: Who, reason: Reason, wait: Wait = True, timeout: Timeout = 60, as_json: AsJson = False
) -> None:
    """Let Keycloak mail a link by which the person sets a password."""
    _one(who, reason, _plain(acts.send_password_mail), Showing(wait, timeout, as_json))


@app.command("require-password-change")
def require_password_change(
    reason: Reason,
    who: Annotated[str | None, typer.Argument(help="One account; or --branch.", show_default=False)] = None,
    branch: Annotated[str | None, typer.Option(help="Every active account of this branch.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it concerns a whole branch.")] = False,
    wait: Wait = True,
    timeout: Timeout = 60,
    as_json: AsJson = False,
) -> None:
    """Ask for another password at the next login: of one person, or of all of a branch. Ends no session."""
    with failures_shown():
        if (who is None) == (branch is None):
            raise Refused([Problem("", "name one account, or a branch with --branch", "one of the two")])
    if branch is not None:
        _of_branch(branch, reason, yes=yes, as_json=as_json)
        return
    _one(str(who), reason, _plain(acts.require_password_change), Showing(wait, timeout, as_json))


@app.command()
def unlock(who: Who, reason: Reason, wait: Wait = True, timeout: Timeout = 60, as_json: AsJson = False) -> None:
    """End a lockout, for a time or for good, and say which it was."""
    _one(who, reason, _plain(acts.unlock), Showing(wait, timeout, as_json))


@app.command("end-sessions")
def end_sessions(
    who: Who, reason: Reason, wait: Wait = True, timeout: Timeout = 60, as_json: AsJson = False
) -> None:
    """End every session and revoke every offline token. The person can log in again."""
    _one(who, reason, _plain(acts.end_sessions), Showing(wait, timeout, as_json))


@app.command("reset-second-factor")
def reset_second_factor(
    who: Who,
    reason: Reason,
    identity_check: Annotated[
        str, typer.Option(help="How you made sure who is asking; it is kept in the history.", show_default=False)
    ],
    keep_sessions: KeepSessions = False,
    wait: Wait = True,
    timeout: Timeout = 60,
    as_json: AsJson = False,
) -> None:
    """Take every second factor away, as after a lost phone; the login asks to set one up again where it must."""
    _one(
        who,
        reason,
        lambda tx, desk, account, by: acts.reset_second_factor(
            tx, desk.policy, account.id, identity_check, by, desk.clock.now(), keep_sessions=keep_sessions
        ),
        Showing(wait, timeout, as_json),
    )


def _plain(act: Plain) -> Ask:
    """An act that needs to know no more than whose it is."""
    return lambda tx, desk, account, by: act(tx, desk.policy, account.id, by, desk.clock.now())


def _one(who: str, reason: str, ask: Ask, showing: Showing) -> None:
    """Store one act, watch it if that is wanted, tell how it ended. Leaves with exit code 1 if it failed.

    How to see a password that is not in place yet is told also if watching fails or is broken off: by then the act
    is stored.
    """
    with failures_shown():
        desk = open_desk()
        account = the_account(desk, who)
        by = actor(reason)
        act = perform(desk, lambda tx: ask(tx, desk, account, by), wakes=Lane.INTERACTIVE)
        if not showing.as_json:
            say(f"{account.username}: {act.kind} is stored")
        password = None
        try:
            if showing.wait:
                act = wait_for_act(desk, act, showing.timeout)
            if showing.password and act.state is ActState.DONE:
                password = taken(desk, account, by)
        finally:
            _tell_password(account, act, password, showing)
        if act.state is ActState.FAILED:
            stop(f"{account.username}: {act.kind} failed: {act.outcome}")
        if showing.wait and act.is_open:
            stop(f"{account.username}: {act.kind} waits still after {showing.timeout} s; it goes on alone")
        if showing.wait and not showing.as_json:
            say(f"{account.username}: {act.kind} is done: {act.outcome}")


def taken(desk: Desk, account: Account, by: Cause) -> str:
    """The temporary password, which is in place. Raises Refused if it is not, or if somebody has seen it."""
    return perform(
        desk, lambda tx: acts.take_password(tx, desk.policy, account.id, by, desk.clock.now()), wakes=None
    )


def show_later(account: Account) -> str:
    return f"fsm-identity account show-password {account.username}"


def _tell_password(account: Account, act: Act, password: str | None, showing: Showing) -> None:
    """It, or while the reset has not ended how to see it later. One that was refused or replaced nobody sees."""
    later = show_later(account) if showing.password and act.is_open else None
    if showing.as_json:
        told = {"temporary_password": password, "show_password": later}
        print_json(
            {"act": act, "username": account.username} | {name: what for name, what in told.items() if what}
        )
    elif password is not None:
        say(f"temporary password, shown once: {password}")
    elif later is not None:
        say(f"the temporary password is shown once it is in place: {later}")


def _of_branch(branch: str, reason: str, *, yes: bool, as_json: bool) -> None:
    with failures_shown():
        desk = open_desk()
        branch = keys_named(desk.policy, {"branch": branch})["branch"]
        scope = Scope.of_branch(branch)
        with desk.db.read() as tx:
            concerned = len(acts.active_accounts(tx, scope, AccountQuery()))
        if not yes:
            people = counted(concerned, "active account")
            typer.confirm(f"Ask {people} of {branch} for another password at the next login?", abort=True)
        by = actor(reason)
        asked = perform(
            desk,
            lambda tx: acts.require_password_changes(
                tx, desk.policy, acts.active_accounts(tx, scope, AccountQuery()), by, desk.clock.now()
            ),
            wakes=Lane.BULK,
        )
        if as_json:
            print_json({"branch": branch, "accounts": asked})
        else:
            say(f"{counted(asked, 'account')} of {branch}: stored, the workers are at it")
