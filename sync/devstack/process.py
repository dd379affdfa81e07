"""A child process of the development stack: started in a session of its own, watched, ended by its id.

Everything the stack starts passes through `launch` and everything it ends through `end`. A process is known
by its id and the moment it was created, so that an id the system has given to someone else is never ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from sync.devstack.failure import StackFailure

POLL_SECONDS = 0.05
ASK_SECONDS = 0.2
"""Between two questions whether something is ready: what is starting has other things to do than to answer."""
LOG_LINES = 15
KILLED_SECONDS = 5.0
CLOCK_SECONDS = 2.0
"""How far two readings of one process's creation may lie apart: the system derives it from a clock that is set."""


class PartFailed(StackFailure):
    """A part did not start, or ended by itself. The message names it and closes with its last log lines."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        lines = last_lines(log)
        shown = "\n".join(f"  | {line}" for line in lines) if lines else "  (it wrote nothing)"
        super().__init__(f"{name} {what}. Its log {log} ends with:\n{shown}")
        self.name = name


@dataclass(frozen=True)
class Launch:
    """What to start. `environment` is added to this process's own and may hold secrets; it is never shown.

    Variables of our own that begin with one of `without` are not handed on.
    `user` is the id of the system user to run as, for programs that refuse root; None means our own.
    `stop_signal` asks the program to end in good order.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    without: tuple[str, ...] = ()
    user: int | None = None
    stop_signal: int = signal.SIGTERM

    def whole_environment(self) -> dict[str, str]:
        """The variables the process sees."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(self.without)}
        return {**own, **self.environment}


@dataclass(frozen=True)
class Running:
    """A started process. `created` is the system's time of its creation (seconds since 1970)."""

    name: str
    pid: int
    created: float
    log: Path
    stop_signal: int = signal.SIGTERM


@dataclass(frozen=True)
class Task:
    """Something that was started and runs to its end. The child is held until its exit code is read: Python throws
    the code away with the object."""

    running: Running
    child: subprocess.Popen[bytes] = field(repr=False)

    def finish(self, seconds: float) -> None:
        """Wait for its end, and end it if that does not come. Raises PartFailed if its exit code is not 0 or it
        takes longer than `seconds`."""
        name, log = self.running.name, self.running.log
        try:
            code = self.child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise PartFailed(name, f"did not end within {seconds:.0f} seconds", log) from None
        finally:
            end([self.running], seconds=5)
        if code != 0:
            raise PartFailed(name, f"failed with exit code {code}", log)


def launch(wanted: Launch) -> Running:
    """Start a process that no Ctrl-C in our terminal reaches. Raises PartFailed if it cannot be executed.

    Its log begins anew; the log of the start before stands beside it, ending in `.1`.
    """
    return _as_running(wanted, _start(wanted))


def begin(wanted: Launch) -> Task:
    """Start something that runs to its end. Raises PartFailed if it cannot be executed."""
    child = _start(wanted)
    return Task(_as_running(wanted, child), child)


def run(wanted: Launch, seconds: float) -> None:
    """Run something to its end. Raises PartFailed if its exit code is not 0 or it takes longer than `seconds`."""
    begin(wanted).finish(seconds)


def alive(running: Running) -> bool:
    """Whether this very process still runs; an ended child that nobody has waited for does not."""
    process = _process(running)
    return process is not None and not _is_zombie(process)


def wait_until_ready(running: Running, ready: Callable[[], bool], seconds: float) -> None:
    """Wait until `ready()`. Raises PartFailed if the process ends first or `seconds` pass."""
    limit = time.monotonic() + seconds
    while not ready():
        if not alive(running):
            raise PartFailed(running.name, "ended while it was starting", running.log)
        if time.monotonic() > limit:
            raise PartFailed(running.name, f"was not ready within {seconds:.0f} seconds", running.log)
        time.sleep(ASK_SECONDS)


def end(parts: Sequence[Running], *, seconds: float = 20.0) -> None:
    """Ask the processes to end, all at once, and kill what is left of their sessions after `seconds`."""
    members: list[psutil.Process] = []
    for running in parts:
        members += _session(running)
        leader = _process(running)
        if leader is not None:
            _signal(leader, running.stop_signal)
    left = _wait_for_end(members, seconds)
    for process in left:
        _signal(process, signal.SIGKILL)
    _wait_for_end(left, KILLED_SECONDS)


def last_lines(log: Path, count: int = LOG_LINES) -> list[str]:
    """The last lines of a log that are not empty; none if there is no such file."""
    if not log.is_file():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 65536))
        text = file.read().decode("utf-8", "replace")
    return [line for line in text.splitlines() if line.strip()][-count:]


def python(*arguments: str) -> tuple[str, ...]:
    """A command that runs this Python, wherever it stands."""
    return (sys.executable, *arguments)


def _start(wanted: Launch) -> subprocess.Popen[bytes]:
    _keep_previous(wanted.log)
    with wanted.log.open("wb") as log:
        try:
            return subprocess.Popen(
                wanted.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=wanted.whole_environment(),
                cwd=wanted.folder,
                start_new_session=True,
                user=wanted.user,
                extra_groups=None if wanted.user is None else (),
            )
        except OSError as error:
            raise PartFailed(wanted.name, f"cannot be started: {error}", wanted.log) from error


def _as_running(wanted: Launch, child: subprocess.Popen[bytes]) -> Running:
    created = psutil.Process(child.pid).create_time()
    return Running(wanted.name, child.pid, created, wanted.log, wanted.stop_signal)


def _keep_previous(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.is_file():
        log.replace(log.with_name(f"{log.name}.1"))


def _process(running: Running) -> psutil.Process | None:
    try:
        process = psutil.Process(running.pid)
        same = abs(process.create_time() - running.created) < CLOCK_SECONDS
    except psutil.NoSuchProcess:
        return None
    return process if same else None


def _session(running: Running) -> list[psutil.Process]:
    """The processes of the session that `running` leads or led, and its children in sessions of their own.

    The system gives no new process an id that still names a session. So if another process has the id,
    nothing of the session is left; and what carries the session's id belongs to it.
    """
    leader = _process(running)
    if leader is None and psutil.pid_exists(running.pid):
        return []
    members = {} if leader is None else {p.pid: p for p in [leader, *leader.children(recursive=True)]}
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == running.pid:
                members[process.pid] = process
        except OSError:
            continue
    return list(members.values())


def _wait_for_end(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still run after `seconds`. Children of ours that ended are taken off the system's list."""
    limit = time.monotonic() + seconds
    while (left := [process for process in processes if not _has_ended(process)]) and time.monotonic() < limit:
        time.sleep(POLL_SECONDS)
    return left


def _has_ended(process: psutil.Process) -> bool:
    try:
        process.wait(timeout=0)
    except psutil.TimeoutExpired:
        return _is_zombie(process)
    except psutil.NoSuchProcess:
        return True
    return True


def _is_zombie(process: psutil.Process) -> bool:
    """Whether it ended and nobody has asked for its exit code yet. As long as a thread of it is ending, its ports
    and files are still in use."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1)
    except psutil.NoSuchProcess:
        return True


def _signal(process: psutil.Process, number: int) -> None:
    """Send a signal unless the process is gone; psutil refuses an id that was given to another process."""
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
