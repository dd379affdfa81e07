"""Starting, watching and ending processes."""

from __future__ import annotations

import os
import platform
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from sync.devstack.ports import LOOPBACK, free_ports, listens
from sync.devstack.process import (
    Launch,
    PartFailed,
    alive,
    end,
    last_lines,
    launch,
    python,
    run,
    wait_until_ready,
)

pytestmark = pytest.mark.supports("J1")

EXIT_OF_A_THREAD = {"x86_64": 60, "aarch64": 93}
"""Linux's number of the system call that ends one thread alone, by machine."""

SLEEPS = "import time; time.sleep(600)"
IGNORES_TERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); "
HAS_CHILD = (
    "import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
)


def script(text: str, folder: Path) -> Launch:
    """A part that runs a few lines of Python."""
    return Launch("the part", python("-c", text), folder / "part.log", folder)


def gone(process: psutil.Process) -> bool:
    """Whether it does not run any more, even if nobody has asked for its exit code."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for a condition with a limit."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "did not happen in time"
        time.sleep(0.02)


def test_a_part_that_ends_while_starting_is_named_with_its_last_words(tmp_path: Path) -> None:
    """The reader sees which part, where its log is, and why, without opening the log."""
    running = launch(script("print('line one'); raise SystemExit('port 5 is taken')", tmp_path))
    with pytest.raises(PartFailed) as failed:
        wait_until_ready(running, lambda: False, seconds=20)
    message = str(failed.value)
    assert message.startswith("the part ended while it was starting")
    assert str(tmp_path / "part.log") in message
    assert message.endswith("  | port 5 is taken")


def test_a_part_that_is_never_ready_is_named_with_the_limit(tmp_path: Path) -> None:
    """Waiting has an end."""
    running = launch(script(SLEEPS, tmp_path))
    try:
        with pytest.raises(PartFailed, match="was not ready within 0 seconds"):
            wait_until_ready(running, lambda: False, seconds=0.2)
    finally:
        end([running])


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A missing program is a message, not a trace."""
    with pytest.raises(PartFailed, match="the part cannot be started"):
        launch(replace(script("", tmp_path), command=("/nowhere/program",)))


def test_a_step_that_fails_says_its_exit_code(tmp_path: Path) -> None:
    """A step's failure stops what follows."""
    with pytest.raises(PartFailed, match=r"the step failed with exit code 3(.|\n)*\| broken"):
        run(replace(script("print('broken'); exit(3)", tmp_path), name="the step"), 20)


def test_a_step_that_ends_at_once_keeps_its_exit_code(tmp_path: Path) -> None:
    """A step may be over before anyone waits for it; what it answered still counts."""
    for _ in range(20):
        run(replace(script("", tmp_path), command=("true",)), 20)
        with pytest.raises(PartFailed, match="failed with exit code 1"):
            run(replace(script("", tmp_path), command=("false",)), 20)


def test_a_step_that_hangs_is_ended(tmp_path: Path) -> None:
    """Nothing of it runs on."""
    with pytest.raises(PartFailed, match="did not end within"):
        run(script(f"import os; print(os.getpid(), flush=True); {SLEEPS}", tmp_path), 1)
    assert not psutil.pid_exists(int(last_lines(tmp_path / "part.log")[0]))


def test_a_deaf_part_is_killed_and_its_children_with_it(tmp_path: Path) -> None:
    """What ignores the request to end is killed after the limit, with all of its session."""
    running = launch(script(HAS_CHILD + IGNORES_TERM + SLEEPS, tmp_path))
    until(lambda: last_lines(running.log) == ["deaf"])
    [child] = psutil.Process(running.pid).children()
    end([running], seconds=0.3)
    assert not alive(running)
    assert gone(child)


def test_children_left_by_a_dead_part_are_ended(tmp_path: Path) -> None:
    """A part killed from outside leaves nothing of its session behind."""
    running = launch(script(HAS_CHILD + "print(c.pid, flush=True); " + SLEEPS, tmp_path))
    until(lambda: bool(last_lines(running.log)))
    orphan = psutil.Process(int(last_lines(running.log)[0]))
    os.kill(running.pid, signal.SIGKILL)
    until(lambda: not alive(running))
    os.waitpid(running.pid, 0)
    assert not gone(orphan)
    end([running], seconds=0.3)
    assert gone(orphan)


@pytest.mark.skipif(platform.machine() not in EXIT_OF_A_THREAD, reason="the number of the call is not known here")
def test_a_part_whose_threads_go_on_has_not_ended(tmp_path: Path) -> None:
    """It is a zombie for the system, and keeps its port: who starts it anew then finds the port taken."""
    number = EXIT_OF_A_THREAD[platform.machine()]
    [port] = free_ports(1)
    running = launch(
        script(
            f"import ctypes, socket, threading, time; s = socket.create_server(('127.0.0.1', {port})); "
            f"threading.Thread(target=time.sleep, args=(600,)).start(); ctypes.CDLL(None).syscall({number}, 0)",
            tmp_path,
        )
    )
    until(lambda: psutil.Process(running.pid).status() == psutil.STATUS_ZOMBIE)
    assert alive(running)
    end([running], seconds=0.1)
    assert not alive(running)
    socket.create_server((LOOPBACK, port)).close()


def test_a_recycled_id_is_not_ended(tmp_path: Path) -> None:
    """Another process that got a remembered id is neither taken for the part nor ended."""
    stranger = launch(script(SLEEPS, tmp_path))
    try:
        remembered = replace(stranger, created=stranger.created - 1000)
        assert not alive(remembered)
        end([remembered], seconds=0.1)
        assert alive(stranger)
    finally:
        end([stranger])


def test_a_clock_that_was_set_does_not_make_a_part_a_stranger(tmp_path: Path) -> None:
    """The time of creation moves a little when the system's clock is corrected; the part can still be ended."""
    running = launch(script(SLEEPS, tmp_path))
    end([replace(running, created=running.created + 0.9)])
    assert not alive(running)


def test_ctrl_c_in_our_terminal_does_not_reach_a_part(tmp_path: Path) -> None:
    """Each part leads a session of its own: the supervisor decides when it ends, in order."""
    running = launch(script(SLEEPS, tmp_path))
    try:
        assert os.getsid(running.pid) == running.pid != os.getsid(0)
    finally:
        end([running])


def test_free_ports_are_different_and_free() -> None:
    """Several ports asked for at once do not collide, and can be bound."""
    ports = free_ports(20)
    assert len(set(ports)) == 20
    with socket.create_server(("127.0.0.1", ports[0])):
        assert listens(ports[0])
    assert not listens(ports[0])
