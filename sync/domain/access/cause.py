"""Why something is wanted: who asks, through which door, what made it, and the reason given (A7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sync.domain.access import callers
from sync.domain.access.callers import Caller


class Door(StrEnum):
    """Where it came in."""

    COMMAND_LINE = "command line"
    REST = "rest"
    SCIM = "scim"
    WEBHOOK = "webhook"
    CONSOLE = "console"
    FILE = "file"


class Origin(StrEnum):
    """What made it."""

    PERSON = "person"
    IMPORT = "import"
    RULE = "rule"
    MAPPING_FILES = "mapping files"
    DRIFT = "drift"
    PLANNED_DATE = "planned date"


@dataclass(frozen=True, slots=True)
class Cause:
    """`reason` is required of everybody; a rule gives its name. `door` None: nobody asked, an origin made it."""

    caller: Caller
    door: Door | None
    reason: str
    origin: Origin = Origin.PERSON

    @property
    def name(self) -> str:
        """The caller's, for people to read."""
        return callers.name_of(self.caller)

    @property
    def way(self) -> str:
        return way(self.door, self.origin)

    def __str__(self) -> str:
        return f"{self.name} ({self.way}): {self.reason}"


def way(door: str | None, origin: str) -> str:
    """In a few words, for people: the door, and the origin where it says more."""
    if door is None:
        return str(origin)
    return str(door) if origin == Origin.PERSON else f"{door}, {origin}"


def record(cause: Cause) -> dict[str, Any]:
    """As JSON; `from_record` makes it a cause again."""
    return {
        "caller": callers.record(cause.caller),
        "door": cause.door,
        "reason": cause.reason,
        "origin": cause.origin.value,
    }


def from_record(kept: Mapping[str, Any]) -> Cause:
    door = kept["door"]
    return Cause(
        caller=callers.from_record(kept["caller"]),
        door=None if door is None else Door(door),
        reason=kept["reason"],
        origin=Origin(kept["origin"]),
    )
