"""What a stack is made of: parts, which keep running, and steps, which run to their end.

Each names what it needs; `side_by_side` begins it as soon as that is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sync.devstack.process import Launch, run
from sync.devstack.surroundings import Surroundings

Say = Callable[[str], None]
"""Told, in words for the user, what takes long."""


def _nothing(place: Surroundings, say: Say) -> None:
    del place, say


def _no_words(place: Surroundings) -> str:
    del place
    return ""


def _nothing_more(place: Surroundings) -> None:
    del place


@dataclass(frozen=True)
class Part:
    """One process of a stack. `prepare` does what is needed before a start and is quick when it was done before.

    `healthy` asks the part itself whether it can do its work, in any thread; `once_healthy` is done then, and
    changes nothing when it was done before. `address` and `login` are shown to the user. `ports` names what it
    listens on; `seconds` is how long it may take until it is healthy. `needs` names the parts that must be healthy
    and the steps that must be over before it is started; what is not to be started at all is not waited for.
    """

    name: str
    launch: Callable[[Surroundings], Launch]
    healthy: Callable[[Surroundings], bool]
    ports: tuple[str, ...] = ()
    prepare: Callable[[Surroundings, Say], None] = _nothing
    once_healthy: Callable[[Surroundings], None] = _nothing_more
    address: Callable[[Surroundings], str] = _no_words
    login: Callable[[Surroundings], str] = _no_words
    seconds: float = 60.0
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """Something that runs to its end within `seconds`. Doing it again changes nothing. `needs` as of a part."""

    name: str
    launch: Callable[[Surroundings], Launch]
    seconds: float = 180.0
    needs: tuple[str, ...] = ()

    def do(self, place: Surroundings) -> None:
        """Do it now. Raises PartFailed."""
        run(self.launch(place), self.seconds)
