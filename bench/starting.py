"""`python -m bench starting`: how long a person waits for the command line, against what cannot be done without.

An interpreter that does nothing is the floor of `--help`; one that loads the libraries a list still uses, and no
line of ours, is that of `account list`. All take turns in the same run, so that a busy machine slows them alike.
Needs no Keycloak.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet

from bench.keycloak import Place
from bench.population import fill
from bench.row import Row
from sync.commands.mappings.in_force import adopt_first
from sync.domain.access.callers import Machine
from sync.domain.access.cause import Cause, Door
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database

BY = Cause(Machine(0, "bench", "bench"), Door.COMMAND_LINE, "benchmark")
ACCOUNTS = 250
ROUNDS = 15
OURS = "from sync.entrypoints.cli import main; main()"
LIBRARIES = (
    "typer",
    "structlog",
    "cryptography.fernet",
    "pydantic_settings",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "sqlalchemy.dialects.postgresql",
)
"""What `account list` loads of others, the largest first."""

BARE, FLOOR, HELP, LIST, TAB, NAME = "bare", "floor", "help", "list", "tab", "name"
COMMANDS: Mapping[str, tuple[str, ...]] = {
    BARE: ("-c", "pass"),
    FLOOR: ("-c", f"import {', '.join(LIBRARIES)}"),
    HELP: ("-c", OURS, "--help"),
    LIST: ("-c", OURS, "account", "list"),
    TAB: ("-c", OURS),
    NAME: ("-c", OURS),
}
WRITTEN = {TAB: "fsm-identity account rea", NAME: "fsm-identity account list --branch ham"}
"""The line in which the TAB key is pressed."""


@dataclass(frozen=True, slots=True)
class Started:
    """Medians in seconds, by the names of `COMMANDS`."""

    seconds: Mapping[str, float]

    def times(self, what: str, floor: str) -> float:
        return self.seconds[what] / self.seconds[floor]


def measure(accounts: int = ACCOUNTS, rounds: int = ROUNDS) -> Started:
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder), accounts)
        taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(rounds + 1):
            for name, arguments in COMMANDS.items():
                taken[name].append(_run(arguments, settings | _pressed(WRITTEN.get(name))))
    return Started({name: statistics.median(seconds[1:]) for name, seconds in taken.items()})


def _pressed(line: str | None) -> dict[str, str]:
    """What bash tells a command whose next word it asks for; None: it asks for none."""
    if line is None:
        return {}
    return {"_FSM_IDENTITY_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}


def _run(arguments: Sequence[str], settings: Mapping[str, str]) -> float:
    """Raises CalledProcessError where the command did not do its work: then nothing was measured."""
    began = time.perf_counter()
    subprocess.run((sys.executable, *arguments), env=settings, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def _settings(folder: Path, accounts: int) -> dict[str, str]:
    """The environment of the commands, with a database of so many accounts."""
    url, key = f"sqlite:///{folder}/our.db", Fernet.generate_key().decode()
    schema.upgrade(url)
    database = Database(url, Sealer([key]))
    adopt_first(database, None, BY, datetime.now(UTC))
    database.close()
    fill(url, accounts, due=1)
    return {
        **os.environ,
        "FSM_DATABASE_URL": url,
        "FSM_REDIS_URL": "redis://127.0.0.1:1/0",
        "FSM_FIELD_SERVICE_URL": f"sqlite:///{folder}/fsm.db",
        "FSM_SECRET_KEYS": key,
        "FSM_KEYCLOAK__URL": "http://127.0.0.1:1/",
        "FSM_MAIL__LOGIN_URL": "http://127.0.0.1:1/",
    }


def report(_place: Place, _people: int) -> list[Row]:
    found = measure()
    help_times, list_times = found.times(HELP, BARE), found.times(LIST, FLOOR)
    return [
        Row(
            "fsm-identity --help",
            _milliseconds(found.seconds[HELP]),
            f"{_milliseconds(found.seconds[BARE])}: python -c pass",
            f"{help_times:.1f} times",
            f"≤ {HELP_REACH} times",
            help_times <= HELP_REACH,
        ),
        Row(
            f"account list, {ACCOUNTS} accounts",
            _milliseconds(found.seconds[LIST]),
            f"{_milliseconds(found.seconds[FLOOR])}: python that loads the libraries it uses, and does nothing",
            f"{list_times:.1f} times ({found.times(LIST, BARE):.0f} times python -c pass, its libraries alone "
            f"{found.times(FLOOR, BARE):.0f} times)",
            f"≤ {LIST_REACH} times",
            list_times <= LIST_REACH,
        ),
        Row(
            "a word at the TAB key; the name of a branch",
            f"{_milliseconds(found.seconds[TAB])}; {_milliseconds(found.seconds[NAME])}",
            f"{_milliseconds(found.seconds[HELP])}: --help, {_milliseconds(found.seconds[LIST])}: account list",
            f"{found.times(TAB, HELP):.1f} times; {found.times(NAME, LIST):.1f} times",
        ),
    ]


HELP_REACH, LIST_REACH = 3, 2


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
