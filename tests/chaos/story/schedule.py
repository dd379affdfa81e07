"""What happens when: a list of disturbances that follows from a seed and nothing else, so that it can be repeated.

Pure. `places` carries it out; `tests/chaos/test_schedule.py` holds it to what the story promises.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

KILLS_UNTIL = 150.0
"""Seconds from the confirmation of the import in which workers are killed."""

KEYCLOAK_AWAY = 60.0
FROZEN = 75.0
"""Longer than a claim's lease."""

LOCKED = 12.0
"""Longer than a write on SQLite waits for its turn."""

PERSON_ACTS = ("profile", "name", "deactivate", "reactivate")
ONE_SHOT_ACTS = ("reset", "reset by mail", "unlock", "end sessions", "require a change")
CONSOLE_ACTS = ("rename", "other profile", "disable")


@dataclass(frozen=True)
class Disturbance:
    """`at` is in seconds from the confirmation; `which` chooses a worker or a person by a share in [0, 1)."""

    at: float
    what: str
    which: float = 0.0
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.at:6.1f} s  {self.what} {self.detail}".rstrip()


def schedule(seed: int) -> tuple[Disturbance, ...]:
    """Everything that happens, in the order of time."""
    chance = random.Random(seed)
    return tuple(sorted(_all(chance), key=lambda each: each.at))


def _all(chance: random.Random) -> Iterator[Disturbance]:
    yield from _every(chance, (2, 5), "kill a worker", 3.0, KILLS_UNTIL)
    yield Disturbance(chance.uniform(8, 20), "kill Redis and start it empty")
    away = chance.uniform(15, 25)
    yield Disturbance(away, "stop Keycloak")
    yield Disturbance(away + KEYCLOAK_AWAY, "start Keycloak")
    yield Disturbance(chance.uniform(5, 20), "cut the database")
    yield Disturbance(chance.uniform(60, 75), "restart the database")
    yield Disturbance(chance.uniform(105, 130), "cut the database")
    frozen, who = chance.uniform(5, 12), chance.random()
    yield Disturbance(frozen, "freeze a worker", who)
    yield Disturbance(frozen + FROZEN, "wake the frozen worker")
    for each in _every(chance, (1, 3), "a person asks", 6.0, KILLS_UNTIL):
        yield Disturbance(each.at, each.what, each.which, chance.choice(PERSON_ACTS))
    for each in _every(chance, (1, 3), "a person asks for an act", 6.0, KILLS_UNTIL):
        yield Disturbance(each.at, each.what, each.which, chance.choice(ONE_SHOT_ACTS))
    for each in _every(chance, (6, 12), "somebody in Keycloak's console", 110.0, KILLS_UNTIL):
        yield Disturbance(each.at, each.what, each.which, chance.choice(CONSOLE_ACTS))


def _every(
    chance: random.Random, between: tuple[float, float], what: str, start: float, until: float
) -> Iterator[Disturbance]:
    at = start
    while at < until:
        yield Disturbance(at, what, chance.random())
        at += chance.uniform(*between)
