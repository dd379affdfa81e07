"""The demo is the main job from end to end; whoever tries the project out sees this first."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.devstack.services.keycloak_archive import OTHER_VERSION

ROOT = Path(__file__).parents[2]
PASTED = re.compile(r"^ {2,}(?:\w+ {2,})?((?:export |curl |\S*fsm-identity ).*)$", re.MULTILINE)
LAST_TITLE = "5. "


class Played:
    """A demo that stays up, and what it says."""

    def __init__(self, home: Path) -> None:
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("FSM_") or name == OTHER_VERSION
        }
        self.process = subprocess.Popen(
            (sys.executable, "-u", "-m", "examples.demo", "--home", str(home)),
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = ""

    def lines(self) -> Iterator[str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            yield line

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=60)
        self.said += rest
        return self.process.returncode


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Played]:
    demo = Played(tmp_path / "demo")
    yield demo
    demo.end()


@pytest.mark.req("J1", "B1", "C6", "D1", "D5", "D6", "F2", "F4", "F7")
@pytest.mark.stack
@pytest.mark.keycloak
@pytest.mark.timeout(500)
def test_every_step_of_the_demo_has_its_outcome(played: Played) -> None:
    """From the realm to a dead offline token: 243 people compared in Keycloak. Then everything that it shows for
    pasting is pasted, and does what it says. Ctrl-C ends it without a complaint."""
    for line in played.lines():
        if line.startswith(LAST_TITLE) and "Five things to try" in played.said:
            break
    assert "243 of 243" in played.said, played.said[-4000:]
    assert "NOT AS EXPECTED" not in played.said
    for line in played.lines():
        if "mappings plan" in line:
            break

    pasted = PASTED.findall(played.said.partition("It keeps running")[2])
    assert len(pasted) > 12
    script = "\n".join(f"{command} || echo FAILED: {command}" for command in pasted)
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=ROOT,
        env=played.environment | {"COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    told = done.stdout + done.stderr
    refused = [line for line in told.splitlines() if line.startswith("FAILED")]
    # Held for an approval; a lane is paused; nobody has edited the copy.
    meant = ("import confirm last --yes", "ops status", "mappings plan")
    assert [next((each for each in meant if each in line), line) for line in refused] == list(meant)
    assert "held" in told
    assert "fsm_lane_due{" in told
    assert played.end() == 0, played.said[-2000:]
