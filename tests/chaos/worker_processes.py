"""Real Celery workers on a real Keycloak, Redis and database, to be killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sync.devstack.process import Launch, Running, end, launch


@dataclass
class Workers:
    """Starts workers in `folder` with these settings and no others. End what is left with `end`."""

    folder: Path
    environment: dict[str, str]
    started: list[Running] = field(default_factory=list)

    def start(self, name: str, queues: str) -> Running:
        command = (sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", queues, "-c", "1")
        options = ("-n", f"{name}@test", "-l", "INFO", "--without-mingle", "--without-gossip")
        log = self.folder / f"{name}.log"
        running = launch(Launch(name, (*command, *options), log, self.folder, self.environment, without=("FSM_",)))
        self.started.append(running)
        return running

    def start_beat(self) -> Running:
        command = (sys.executable, "-m", "celery", "-A", "workers.app", "beat", "-s", str(self.folder / "beat"))
        log = self.folder / "beat.log"
        running = launch(Launch("beat", command, log, self.folder, self.environment, without=("FSM_",)))
        self.started.append(running)
        return running

    def kill(self, worker: Running) -> None:
        """kill -9 for the worker and its child, as a machine that loses power does."""
        os.killpg(os.getpgid(worker.pid), signal.SIGKILL)

    def freeze(self, worker: Running) -> None:
        """Stop it where it stands, as a machine that swaps or is moved does; it keeps leases and connections."""
        os.killpg(os.getpgid(worker.pid), signal.SIGSTOP)

    def wake(self, worker: Running) -> None:
        os.killpg(os.getpgid(worker.pid), signal.SIGCONT)

    def log_of(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def end(self) -> None:
        """End all, the frozen ones too."""
        for worker in self.started:
            with suppress(ProcessLookupError):
                self.wake(worker)
        end(self.started)


def wait_until(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Ask ten times a second. Raises AssertionError after the limit."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"after {seconds:.0f} s: {otherwise}"
        time.sleep(0.1)
