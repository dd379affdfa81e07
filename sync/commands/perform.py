"""How every door carries out a command: one write transaction, one commit, then a wake
(rule: one-commit-then-wake)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import structlog

from sync.commands.waking import wake
from sync.desk import BareDesk, Desk
from sync.domain.work.lane import Lane
from sync.store.database.transactions import Database, Tx
from sync.store.mappings import refuse_outdated

T = TypeVar("T")
log = structlog.get_logger()


def perform(desk: BareDesk, command: Callable[[Tx], T], *, wakes: Lane | None) -> T:
    """Run the command, commit, wake the lane if there is one; a wake that fails is told (H1).

    Raises Transient, and stores nothing, if the command was decided by a policy that is no longer in force.
    """
    with desk.db.write() as tx:
        refuse_outdated(tx, desk.policy_number)
        result = command(tx)
    if wakes is not None:
        wake(desk, wakes)
    return result


def rehearsed(desk: Desk, command: Callable[[Desk], object], look: Callable[[Tx], T]) -> T:
    """What a command would do: what `look` finds after it, in its transaction, which is then rolled back; nobody
    is woken. Raises what the command raises."""
    seen: list[T] = []
    command(replace(desk, db=_Undone(desk.db, lambda tx: seen.append(look(tx))), wake=_Nobody()))
    return seen[-1]


class _Nobody:
    """A wake for what nobody is to carry out."""

    def wake(self, lane: Lane) -> None:
        """Nothing was stored."""


class _Rollback(Exception):
    pass


class _Undone(Database):
    """Our database, whose write transactions are looked at when they are done, and rolled back."""

    def __init__(self, of: Database, look: Callable[[Tx], None]) -> None:
        self._of = of
        self._look = look

    @property
    def file(self) -> Path | None:
        return self._of.file

    def read(self) -> AbstractContextManager[Tx]:
        return self._of.read()

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with suppress(_Rollback), self._of.write() as tx:
            yield tx
            self._look(tx)
            raise _Rollback

    def close(self) -> None:
        """The other one goes on."""
