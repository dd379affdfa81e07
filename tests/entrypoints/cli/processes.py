"""The command line as a process of its own, for what only shows there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
OURS = "from sync.entrypoints.cli import main; main()"


def settings_for(folder: Path) -> dict[str, str]:
    """With our database in the folder; no Redis, Keycloak or FSM system is there."""
    return {
        "FSM_DATABASE_URL": f"sqlite:///{folder}/our.db",
        "FSM_REDIS_URL": "redis://127.0.0.1:1/0",
        "FSM_FIELD_SERVICE_URL": f"sqlite:///{folder}/fsm.db",
        "FSM_SECRET_KEYS": "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",
        "FSM_KEYCLOAK__URL": "http://127.0.0.1:1/",
        "FSM_MAIL__LOGIN_URL": "http://127.0.0.1:1/",
    }


def the_command_line(*arguments: str, script: str = OURS, **environment: str) -> subprocess.CompletedProcess[str]:
    """What it says into pipes, and its exit code. `script`: how it is begun."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
