"""Errors, sorted by what to do next (H2).

`Failure` and its five kinds are what a worker meets; `Refused` is what a door answers. Messages state
facts and never contain a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

System: TypeAlias = Literal["keycloak", "fsm", "database", "mail"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as wanted, in words: what it is, what was wanted of it, what was found."""

    what: str
    wanted: str
    found: str


class Failure(Exception):
    """Something stopped the work on one account. Raise one of the five kinds, never this class.

    `system` names what cannot be used at all just now, so that the next account would fail the same way: circuits
    count these (`sync.domain.work.circuit`). None: it is about this one piece of work. `differences` is what could
    not be made, where somebody knew it; a person who mends it needs it beside the reason.
    """

    kind: str = "failure"
    differences: tuple[Difference, ...] = ()

    def __init__(self, message: str, *, system: System | None = None) -> None:
        super().__init__(message)
        self.system = system


class Transient(Failure):
    """Trying again by itself will help: a time-out, a refused connection, a 5xx answer."""

    kind = "transient"


class NeedsPerson(Failure):
    """A person has to look: the foreign system refuses what we want for a reason we cannot mend."""

    kind = "needs-person"


class Conflict(Failure):
    """Somebody else has the name, the e-mail address or the id, or two candidates match."""

    kind = "conflict"


class Misconfigured(Failure):
    """Wrong credentials, a missing role, group or realm: every account would fail the same way."""

    kind = "misconfigured"


class Unsafe(Failure):
    """Doing it would touch what is not ours or end the last way in: never done by itself."""

    kind = "unsafe"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a command was refused: which field, what is wrong, what would mend it."""

    field: str
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.field}: {self.reason}" if self.field else self.reason
        return f"{text} ({self.remedy})" if self.remedy else text


class Refused(Exception):
    """A command was refused at the door; nothing was stored. Carries every problem found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class NotFound(Refused):
    """The account, technician or run that was named does not exist."""


class NotAllowed(Refused):
    """The caller may not do this; somebody else may."""
