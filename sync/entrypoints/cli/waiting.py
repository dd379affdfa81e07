"""Watching the workers carry out a change: the command line waits until Keycloak has it, or says why not."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from sync.desk import Desk
from sync.domain.accounts.account import Account
from sync.domain.acts import Act
from sync.entrypoints.cli.output import counted, say, screen, stop
from sync.store import acts, audit
from sync.store.accounts import accounts
from sync.store.provisioning import work_state
from sync.store.provisioning.work_state import WorkState

Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until Keycloak has it.")]
Timeout = Annotated[int, typer.Option("--timeout", min=1, help="Seconds to wait at most.")]

LOOK_EVERY_SECONDS = 0.1


def wait_for(desk: Desk, wanted: Account, timeout: int) -> None:
    """Wait until Keycloak has the account as wanted. A hold is an outcome, not a failure.

    Leaves with exit code 1 if the time is up, if the gate refused a deactivation, or if a person is needed.
    """
    until = time.monotonic() + timeout
    name = wanted.username
    with screen.status(f"waiting for Keycloak to have {name} …"):
        work = _look(desk, wanted)
        while work is None and time.monotonic() < until:
            time.sleep(LOOK_EVERY_SECONDS)
            work = _look(desk, wanted)
    if work is None:
        stop(
            f"{name} is stored, but after {timeout} s not in Keycloak; it goes on alone. {_last_try(desk, wanted)}"
        )
    if work.quarantine is not None:
        kind, reason = work.quarantine
        stop(f"{name} needs a person ({kind}): {reason}")
    if work.held_work_orders:
        open_work = counted(len(work.held_work_orders), "open work order")
        say(f"{name} is held by {open_work}; it goes on by itself when nothing is open any more")
        return
    with desk.db.read() as tx:
        now = accounts.get(tx, wanted.id)
    if now is not None and now.life is not wanted.life:
        stop(f"{name}: the deactivation was refused, work orders came in between. {_last_try(desk, wanted)}")
    say(f"Keycloak has {name} as wanted")


def _look(desk: Desk, account: Account) -> WorkState | None:
    """The work once it has come to an outcome; None while it goes on."""
    with desk.db.read() as tx:
        work = work_state.of_account(tx, account.id)
    if work is None or not (work.applied or work.quarantine or work.held_work_orders):
        return None
    return work


def _last_try(desk: Desk, account: Account) -> str:
    with desk.db.read() as tx:
        tries = [entry for entry in audit.timeline(tx, account.id) if entry.kind != "asked"]
    if not tries:
        return "No worker has looked at it yet."
    return f"The last entry of its timeline: {tries[-1].title}; {'; '.join(tries[-1].details)}."


def wait_for_act(desk: Desk, act: Act, timeout: int) -> Act:
    """Watch a one-shot act until it has ended or the time is up; answers it as it is then."""
    until = time.monotonic() + timeout
    with screen.status(f"waiting for {act.kind} …"):
        while act.is_open and time.monotonic() < until:
            time.sleep(LOOK_EVERY_SECONDS)
            with desk.db.read() as tx:
                act = acts.get(tx, act.id) or act
    return act
