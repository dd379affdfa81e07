"""Starting, watching and ending a whole stack. The command line and the demo call this.

`start` brings everything up or leaves nothing running. What it starts is written down before it is waited
for, so that `stop` ends it even if the starter was killed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

import psutil

from sync.devstack import surroundings
from sync.devstack.credentials import credentials_in, write_private
from sync.devstack.failure import StackFailure
from sync.devstack.foundation import KEYCLOAK, MAIL, POSTGRES, REDIS
from sync.devstack.layout import Layout, make_home
from sync.devstack.lock import Taken, exclusive
from sync.devstack.own_processes import OWN_PARTS, SET_UP
from sync.devstack.part import Part, Say
from sync.devstack.ports import free_ports, listens
from sync.devstack.process import PartFailed, Running, alive, end
from sync.devstack.side_by_side import bring_up
from sync.devstack.signals import ending_signals
from sync.devstack.state import Database, StackState, read_state, write_state
from sync.devstack.surroundings import Surroundings

FOUNDATION = (KEYCLOAK, REDIS, MAIL, POSTGRES)
PARTS = {part.name: part for part in (*FOUNDATION, *OWN_PARTS)}
SUPERVISOR = "supervisor"
WATCH_SECONDS = 0.5
STOP_SECONDS = 20.0


class AlreadyRunning(StackFailure):
    """The stack of this folder runs, or is being started."""


class UnknownPart(StackFailure):
    """A part was asked for that does not exist. The message names those that do."""


@dataclass(frozen=True)
class PartStatus:
    """`since` is seconds since 1970; `running`: the process is there; `healthy`: it can do its work."""

    name: str
    pid: int
    ports: tuple[int, ...]
    since: float
    running: bool
    healthy: bool
    address: str


def chosen_parts(database: Database, only: Sequence[str] | None) -> tuple[Part, ...]:
    """The parts to start, in order: all that the database needs, or just those named. Raises UnknownPart."""
    wanted = [part for part in PARTS.values() if part is not POSTGRES or database == "postgres"]
    if only is None:
        return tuple(wanted)
    unknown = [name for name in only if name not in PARTS]
    if unknown:
        raise UnknownPart(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return tuple(part for part in PARTS.values() if part.name in only)


@contextmanager
def foreground(layout: Layout, parts: Sequence[Part], database: Database, say: Say) -> Iterator[Surroundings]:
    """A stack that runs as long as the block; then everything is ended, ours before what ours need.

    Ctrl-C, a request to end and a closed terminal raise KeyboardInterrupt in the block. Raises StackFailure.
    Needs the main thread.
    """
    with _alone(layout), ending_signals() as ignore_signals:
        try:
            yield start(layout, parts, database, say, supervised=True)
        finally:
            ignore_signals()
            say("ending everything")
            _end_parts(layout)


def detached(layout: Layout, parts: Sequence[Part], database: Database, say: Say) -> Surroundings:
    """A stack that keeps running after this process. Raises StackFailure."""
    with _alone(layout):
        try:
            return start(layout, parts, database, say, supervised=False)
        except BaseException:
            _end_parts(layout)
            raise


def lost_parts(layout: Layout, parts: Sequence[Part]) -> tuple[Part, ...]:
    """Those of these parts that have ended beside others of the stack that run: `take_up` starts them again."""
    state = read_state(layout.state)
    if state is None or not state.running():
        return ()
    return tuple(part for part in parts if part.name in state.lost())


def take_up(layout: Layout, parts: Sequence[Part], say: Say) -> Surroundings:
    """Start lost parts again beside the rest, with the ports, passwords and database of then. Raises StackFailure;
    the rest goes on."""
    try:
        with exclusive(layout.lock, wait=False):
            state = read_state(layout.state) or StackState({})
            place = _place(layout, state, state.database)
            started: list[Running] = []

            def note(running: Running) -> None:
                started.append(running)
                _note(layout, running)

            try:
                bring_up(parts, place, note, say)
            except BaseException:
                end(started, seconds=STOP_SECONDS)
                raise
            return place
    except Taken:
        raise AlreadyRunning(_already(layout, [])) from None


def start(
    layout: Layout, parts: Sequence[Part], database: Database, say: Say, *, supervised: bool
) -> Surroundings:
    """Start the parts and set up what ours need, side by side. The caller holds the stack's lock and ends it."""
    for part in parts:
        part.prepare(_place(layout, read_state(layout.state) or StackState({}), database), say)
    before = read_state(layout.state) or StackState({})
    state = StackState(_ports(before.ports), database, supervisor=_this_process() if supervised else None)
    write_state(layout.state, state)
    place = _place(layout, state, database)
    write_private(layout.settings, surroundings.as_toml(surroundings.for_command_line(place)))

    own = any(part in OWN_PARTS for part in parts)
    bring_up([*parts, *(SET_UP if own else ())], place, partial(_note, layout), say)
    return place


def watch(layout: Layout) -> NoReturn:
    """Stay until a part ends by itself; then raise PartFailed with its last log lines."""
    state = read_state(layout.state) or StackState({})
    while True:
        for part in state.parts:
            if not alive(part):
                raise PartFailed(part.name, "ended by itself", part.log)
        time.sleep(WATCH_SECONDS)


def stop(layout: Layout) -> list[str]:
    """End the stack, wherever it was started from. The names of the parts that ran."""
    state = read_state(layout.state)
    if state is None:
        return []
    names = [part.name for part in state.running()]
    if state.supervisor is not None and alive(state.supervisor):
        end([state.supervisor], seconds=2 * STOP_SECONDS)
    _end_parts(layout)
    return names


def status(layout: Layout) -> list[PartStatus]:
    """Every part that was started and not ended, asked whether it is well."""
    state = read_state(layout.state)
    if state is None or not state.parts:
        return []
    place = _place(layout, state, state.database)
    with ThreadPoolExecutor(max_workers=len(state.parts)) as pool:
        return list(pool.map(lambda running: _status(running, place), state.parts))


def _status(running: Running, place: Surroundings) -> PartStatus:
    part = PARTS[running.name]
    here = alive(running)
    return PartStatus(
        name=part.name,
        pid=running.pid,
        ports=tuple(place.ports[name] for name in part.ports),
        since=running.created,
        running=here,
        healthy=here and part.healthy(place),
        address=part.address(place),
    )


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    make_home(layout)
    try:
        with exclusive(layout.lock, wait=False):
            state = read_state(layout.state)
            running = () if state is None else state.running()
            if running:
                raise AlreadyRunning(_already(layout, [part.name for part in running]))
            yield
    except Taken:
        raise AlreadyRunning(_already(layout, [])) from None


def _already(layout: Layout, names: Sequence[str]) -> str:
    what = f" ({', '.join(names)})" if names else ""
    state = read_state(layout.state)
    lost = () if state is None or not names else state.lost()
    return (
        f"the stack in {layout.home} runs already{what}. {how_to_take_up(lost)}See it with `fsm-identity dev "
        "status`, end it with `fsm-identity dev down`, or give another folder in FSM_DEV_HOME."
    )


def _note(layout: Layout, running: Running) -> None:
    """Write down that it runs."""
    state = read_state(layout.state) or StackState({})
    write_state(layout.state, state.started(running))


def how_to_take_up(lost: Sequence[str]) -> str:
    """A sentence, or nothing where nothing is lost."""
    if not lost:
        return ""
    names = ",".join(lost)
    ended = f"{lost[0]} has ended" if len(lost) == 1 else f"{', '.join(lost)} have ended"
    return f"{ended}: take up again with `fsm-identity dev up --only {names}`. "


def _end_parts(layout: Layout) -> None:
    state = read_state(layout.state)
    if state is not None:
        foundation = {part.name for part in FOUNDATION}
        end([part for part in state.parts if part.name not in foundation], seconds=STOP_SECONDS)
        end([part for part in state.parts if part.name in foundation], seconds=STOP_SECONDS)
        write_state(layout.state, state.ended())


def _ports(kept: dict[str, int]) -> dict[str, int]:
    """A port for each purpose: the one of the last start if nobody has taken it meanwhile, else a free one."""
    purposes = [purpose for part in PARTS.values() for purpose in part.ports]
    chosen = {purpose: kept[purpose] for purpose in purposes if purpose in kept and not listens(kept[purpose])}
    missing = [purpose for purpose in purposes if purpose not in chosen]
    return chosen | dict(zip(missing, free_ports(len(missing)), strict=True))


def _place(layout: Layout, state: StackState, database: Database) -> Surroundings:
    return Surroundings(layout, state.ports, credentials_in(layout.credentials), database)


def _this_process() -> Running:
    return Running(SUPERVISOR, os.getpid(), psutil.Process().create_time(), Path(os.devnull))
