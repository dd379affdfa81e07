"""`fsm-identity` as a process of its own, as a person types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("fsm-identity")
PASSWORD_SHOWN = re.compile(r"\b(?:[a-z2-9]{4}-){5}[a-z2-9]{4}\b")
WIDE = "250"


@dataclass(frozen=True)
class Said:
    """What a command answered, and after how many seconds."""

    code: int
    out: str
    err: str
    seconds: float

    def refused(self, *words: str) -> None:
        """Assert that it ended with exit code 1, told all these words on standard error, and no traceback."""
        assert self.code == 1, self
        assert "Traceback" not in self.err, self.err
        missing = [each for each in words if each not in self.err]
        assert not missing, f"{missing} not in {self.err!r}"


@dataclass(frozen=True)
class CommandLine:
    """Runs commands in `folder` with the settings file and no other settings."""

    folder: Path
    settings: Path

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (COMMAND, *arguments),
            cwd=self.folder,
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> Said:
        began = time.monotonic()
        with self.start(*arguments, **environment) as process:
            try:
                out, err = process.communicate(timeout=90)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Said(process.returncode, out, err, time.monotonic() - began)

    def done(self, *arguments: str) -> str:
        """What a command that must work prints."""
        said = self.run(*arguments)
        assert said.code == 0, said
        return said.out

    def json(self, *arguments: str) -> Any:
        return json.loads(self.done(*arguments, "--json"))

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("FSM_")}
        return own | {"FSM_SETTINGS": str(self.settings), "COLUMNS": WIDE} | more
