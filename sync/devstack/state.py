"""What a stack remembers between commands: its ports, and which processes run, by id and time of creation."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from sync.devstack.credentials import write_private
from sync.devstack.process import Running, alive

Database = Literal["sqlite", "postgres"]


@dataclass(frozen=True)
class StackState:
    """`ports` by purpose, kept from start to start so that addresses stay; `parts` in the order of their start.

    `supervisor` is the process in the foreground, None when the stack was left running by itself.
    """

    ports: dict[str, int]
    database: Database = "sqlite"
    parts: tuple[Running, ...] = ()
    supervisor: Running | None = None

    def running(self) -> tuple[Running, ...]:
        """The parts that run now."""
        return tuple(part for part in self.parts if alive(part))

    def lost(self) -> tuple[str, ...]:
        """The names of the parts that were started and have ended by themselves."""
        return tuple(part.name for part in self.parts if not alive(part))

    def started(self, part: Running) -> StackState:
        """The state with one more part; it takes the place of one of its name that has ended."""
        others = tuple(each for each in self.parts if each.name != part.name)
        return replace(self, parts=(*others, part))

    def ended(self) -> StackState:
        """The state with nothing running; ports stay."""
        return replace(self, parts=(), supervisor=None)


def read_state(path: Path) -> StackState | None:
    """The state in the file; None if there is none yet."""
    if not path.is_file():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    supervisor = kept["supervisor"]
    return StackState(
        ports=kept["ports"],
        database=kept["database"],
        parts=tuple(_running(part) for part in kept["parts"]),
        supervisor=None if supervisor is None else _running(supervisor),
    )


def write_state(path: Path, state: StackState) -> None:
    """Replace the state in one step."""
    write_private(path, json.dumps(asdict(state), indent=2, default=str))


def _running(kept: dict[str, str]) -> Running:
    return Running(
        name=kept["name"],
        pid=int(kept["pid"]),
        created=float(kept["created"]),
        log=Path(kept["log"]),
        stop_signal=int(kept["stop_signal"]),
    )
