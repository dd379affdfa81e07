"""The demo is the main job from end to end; whoever tries the project out sees this first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sync.devstack.keycloak_archive import OTHER_VERSION

ROOT = Path(__file__).parents[2]


@pytest.mark.req("J1", "B1", "C6", "D1", "D5", "D6", "F2", "F4", "F7")
@pytest.mark.stack
@pytest.mark.keycloak
@pytest.mark.timeout(400)
def test_every_step_of_the_demo_has_its_outcome(tmp_path: Path) -> None:
    """From the realm to a dead offline token: 243 people compared in Keycloak, and nothing left running."""
    home = tmp_path / "demo"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("FSM_") or name == OTHER_VERSION
    }
    played = subprocess.run(
        (sys.executable, "-m", "examples.demo", "--once", "--home", str(home)),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=380,
    )
    assert played.returncode == 0, played.stdout[-4000:] + played.stderr[-2000:]
    assert "243 of 243" in played.stdout
    assert "NOT AS EXPECTED" not in played.stdout
