"""What a stack is made of: parts, which keep running, and steps, which run to their end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sync.devstack.process import Launch
from sync.devstack.surroundings import Surroundings

Say = Callable[[str], None]
"""Told, in words for the user, what takes long."""


def _nothing(place: Surroundings, say: Say) -> None:
    del place, say


def _no_words(place: Surroundings) -> str:
    del place
    return ""


@dataclass(frozen=True)
class Part:
    """One process of a stack. `prepare` does what is needed before a start and is quick when it was done before.

    `healthy` asks the part itself whether it can do its work. `address` and `login` are shown to the user.
    `ports` names what it listens on; `seconds` is how long it may take until it is healthy. `needs_realm`: it
    begins to work by itself, so it is started after the realm is configured.
    """

    name: str
    launch: Callable[[Surroundings], Launch]
    healthy: Callable[[Surroundings], bool]
    ports: tuple[str, ...] = ()
    prepare: Callable[[Surroundings, Say], None] = _nothing
    address: Callable[[Surroundings], str] = _no_words
    login: Callable[[Surroundings], str] = _no_words
    seconds: float = 60.0
    needs_realm: bool = False


@dataclass(frozen=True)
class Step:
    """Something that runs to its end. Doing it again changes nothing. Raises PartFailed."""

    name: str
    do: Callable[[Surroundings], None]
