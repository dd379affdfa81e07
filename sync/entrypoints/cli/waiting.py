"""Watching the workers carry out a change: the command line waits until Keycloak has it, or says why not."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from sync.commands.accounts.look import ask_look
from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.acts import Act
from sync.domain.wording import counted
from sync.domain.work.lane import Lane
from sync.entrypoints.cli.terminal.output import say, screen, stop, warn
from sync.store.deactivation.reassignments import Reassignment
from sync.views.accounts.look import newest_look
from sync.views.accounts.settling import Settled, Settling, act_state, last_try, settling
from sync.views.deactivation import reassignment
from sync.views.operations.stops import what_stops

Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until Keycloak has it.")]
Timeout = Annotated[int, typer.Option("--timeout", min=1, help="Seconds to wait at most.")]

LOOK_EVERY_SECONDS = 0.1
STOPS_EVERY_SECONDS = 1.0


class Stops:
    """Tells whoever waits what keeps the lane from working, as soon as something does, and once (H6). It is waited
    on: somebody may mend it meanwhile."""

    def __init__(self, desk: Desk, lane: Lane) -> None:
        self._desk = desk
        self._lane = lane
        self._look_at = 0.0
        self._told: str | None = None

    def tell(self) -> None:
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + STOPS_EVERY_SECONDS
        with self._desk.db.read() as tx:
            found = what_stops(tx, Scope.all(), self._lane, self._desk.clock.now())
        if found is not None and found != self._told:
            warn(f"stored, and waits: {found}")
        self._told = found


def wait_for(desk: Desk, wanted: Account, timeout: int) -> None:
    """Wait until Keycloak has the account as wanted. A hold is an outcome, not a failure.

    Leaves with exit code 1 if the time is up, if the gate refused, if a person is needed or has to mend something
    first.
    """
    until = time.monotonic() + timeout
    name = wanted.username
    stops = Stops(desk, Lane.INTERACTIVE)
    with screen.status(f"waiting for Keycloak to have {name} …"):
        now = _look(desk, wanted)
        while now.state is Settled.WAITING and time.monotonic() < until:
            stops.tell()
            time.sleep(LOOK_EVERY_SECONDS)
            now = _look(desk, wanted)
    match now.state:
        case Settled.WAITING:
            late = f"{name} is stored, but after {timeout} s not in Keycloak; it goes on alone."
            stop(f"{late} {_last_try(desk, wanted)}")
        case Settled.QUARANTINED:
            kind, reason = now.quarantine or ("", "")
            stop(f"{name} needs a person ({kind}): {reason}")
        case Settled.STUCK:
            stop(f"{name} is stored; Keycloak has it once this is mended: {now.mend}")
        case Settled.REFUSED:
            came = f"{name}: refused, work orders came in between; everything is as it was before."
            stop(f"{came} {_last_try(desk, wanted)}")
        case Settled.HELD:
            open_work = counted(len(now.work_orders), "open work order")
            say(f"{name} is held by {open_work}; it goes on by itself when nothing is open any more")
        case Settled.APPLIED:
            say(f"Keycloak has {name} as wanted")


def _look(desk: Desk, account: Account) -> Settling:
    with desk.db.read() as tx:
        return settling(tx, Scope.all(), account)


def _last_try(desk: Desk, account: Account) -> str:
    with desk.db.read() as tx:
        newest = last_try(tx, Scope.all(), account.id)
    if newest is None:
        return "No worker has looked at it yet."
    return f"The last entry of its timeline: {'; '.join([newest.title, *newest.details])}."


def wait_for_act(desk: Desk, act: Act, timeout: int) -> Act:
    """Watch a one-shot act until it has ended or the time is up; answers it as it is then."""
    until = time.monotonic() + timeout
    stops = Stops(desk, act.lane)
    with screen.status(f"waiting for {act.kind} …"):
        while act.is_open and time.monotonic() < until:
            stops.tell()
            time.sleep(LOOK_EVERY_SECONDS)
            with desk.db.read() as tx:
                act = act_state(tx, Scope.all(), act.id)
    return act


def wait_for_reassignment(desk: Desk, asked: Reassignment, timeout: int) -> Reassignment:
    """Watch a worker move work orders until it has ended or the time is up; returns it as it is then."""
    until = time.monotonic() + timeout
    stops = Stops(desk, Lane.INTERACTIVE)
    with screen.status(f"waiting for {asked.to_technician_id} to have the work orders …"):
        while asked.is_open and time.monotonic() < until:
            stops.tell()
            time.sleep(LOOK_EVERY_SECONDS)
            with desk.db.read() as tx:
                asked = reassignment(tx, Scope.all(), asked.id)
    return asked


LOOK_SECONDS = 2
"""So long a person waits for a look; what was stored is shown all the same."""


def wait_for_look(desk: Desk, account_id: str) -> str | None:
    """Ask a worker to look at the account and wait for it. Returns why there is no look of now; None: there is."""
    until = time.monotonic() + LOOK_SECONDS
    asked_at = ask_look(desk, account_id)
    while True:
        with desk.db.read() as tx:
            look = newest_look(tx, Scope.all(), account_id)
        if look.seen is not None and look.seen.observed_at >= asked_at:
            return None
        if look.failure is not None and not look.waits:
            return look.failure
        if time.monotonic() >= until:
            return f"no worker looked within {LOOK_SECONDS} s"
        time.sleep(LOOK_EVERY_SECONDS)
