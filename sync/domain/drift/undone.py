"""Repairs that do not hold: the same difference again and again, and nobody who made it (G4). Pure.

A person who changes something a second time is told as drift like the first time, and repaired. What comes back
without a person is the doing of something that goes on: a federation, a program, a rule of the realm. To repair it
every six hours for ever would tell nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sync.domain.drift.impact import effects_of_repair
from sync.domain.drift.kinds import Drift
from sync.domain.drift.touches import Touch, whom
from sync.domain.provisioning.aspect import Aspect, Deviation, touched_by
from sync.domain.provisioning.change import AnyChange, UpdateDetails

MOST = 2
"""So often it is repaired as ever."""

WITHIN = timedelta(days=30)
"""What is longer ago is another story: the events that tell whether it was a person are not kept longer."""

WAYS_IN = frozenset({Aspect.EMAIL, Aspect.SECOND_FACTOR})
"""Another address is a way in for somebody else; without the second factor there is less in the way."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A worker has undone drift of an account."""

    at: datetime
    changes: tuple[AnyChange, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """When the same difference was repaired, to no effect, the first before the last; `by` is the program that
    makes it again, None: not known."""

    at: tuple[datetime, ...]
    by: str | None = None


def undone(repairs: Sequence[Repair], touches: Sequence[Touch], drift: Drift, now: datetime) -> Undone | None:
    """Whether a difference that is there now has come back too often, with nobody who made it. Repairs in the
    order of time; those before a person's doing are none of it."""
    times: list[datetime] = []
    until = now
    for repair in reversed(repairs):
        if not any(_sets(change, drift) for change in repair.changes):
            continue
        since = whom(touches, [drift.attribute], repair.at, until)
        if any(not each.by_program for each in since):
            break
        times.append(repair.at)
        until = repair.at
    if len(times) < MOST:
        return None
    programs = {each.who for each in whom(touches, [drift.attribute], times[-1], now)}
    return Undone(tuple(reversed(times)), ", ".join(sorted(programs)) or None)


def may_stand(drift: Drift) -> bool:
    """Whether it is left to a person: nobody has more by it than is wanted, or another way in. The rest is taken
    away again and again."""
    return (
        isinstance(drift, Deviation)
        and drift.attribute not in WAYS_IN
        and effects_of_repair([drift]) <= {"changed"}
    )


def _sets(change: AnyChange, drift: Drift) -> bool:
    if drift.attribute is Aspect.ATTRIBUTES:
        return isinstance(change, UpdateDetails) and drift.key in change.new
    return drift.attribute in touched_by(change)
