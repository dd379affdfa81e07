"""Real Celery workers on a real Keycloak, Redis and database, to be killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
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

    def end(self) -> None:
        end(self.started)


def wait_until(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Ask ten times a second. Raises AssertionError after the limit."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"after {seconds:.0f} s: {otherwise}"
        time.sleep(0.1)
