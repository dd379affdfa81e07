"""Errors, sorted by what to do next (H2).

`Failure` and its five kinds are what a worker meets; `Refused` is what a door answers. Messages state
facts and never contain a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class Failure(Exception):
    """Something stopped the work on one account. Raise one of the five kinds, never this class."""

    kind: str = "failure"


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
