"""What a command would do: it is carried out in a transaction that is rolled back, and wakes nobody (`dry_run`).

Whatever the command refuses is refused here as well, by the same code and in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

from fastapi import Query
from pydantic import Field

from sync.desk import Desk
from sync.domain.work.lane import Lane
from sync.entrypoints.web.rest.parts import NoParameters
from sync.store.database.transactions import Database, Tx

T = TypeVar("T")


class MayRehearse(NoParameters):
    """Of a route that can tell what it would do."""

    dry_run: bool = Field(default=False, description="answer as if it was done, and store nothing")


Rehearsing: TypeAlias = Annotated[MayRehearse, Query()]


def rehearsed(desk: Desk, command: Callable[[Desk], object], look: Callable[[Tx], T]) -> T:
    """What `look` finds after the command, which is then undone. Raises what the command raises."""
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
