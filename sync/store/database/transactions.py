"""Our database as a use case sees it: transactions that read, and transactions that write and commit once.

Every function of the store takes the transaction first. Nothing here knows what is stored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, make_url
from sqlalchemy.exc import SQLAlchemyError

from sync.domain.errors import Failure, Refused
from sync.store.database import revision
from sync.store.database.engine import WRITING, failure_of, is_of_the_disk, make_engine, no_room
from sync.store.database.sealing import Sealer


class UnforeseenInPart(Exception):
    """Something that is neither a refusal nor the database's failing stopped a part; the part is undone."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"unforeseen error of type {type(cause).__name__}")
        self.kind = type(cause).__name__


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction. `writing` false: the database refuses changes."""

    connection: Connection
    sealer: Sealer
    writing: bool

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.connection.dialect.name

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of the transaction that comes about or is undone by itself.

        Refusals, failures and the database's own errors pass through; anything else is raised as
        UnforeseenInPart, so that one row of many cannot take the others with it.
        """
        try:
            with self.connection.begin_nested():
                yield
        except (Refused, Failure):
            raise
        except Exception as error:
            if failure_of(error) is not None:
                raise
            raise UnforeseenInPart(error) from error

    def locking(self, query: Select[Any]) -> Select[Any]:
        """In a write transaction: nobody else changes the rows read until it ends, so that a command decides
        on what it will find at its commit. PostgreSQL locks the rows (rows that refer to them may still be
        added); SQLite has one writer anyway."""
        return query.with_for_update(key_share=True) if self.writing else query


class Database:
    """Makes its engine when a process first needs it: a worker forked later gets connections of its own."""

    def __init__(self, url: str, sealer: Sealer) -> None:
        self._url = url
        self._sealer = sealer
        self._engines: dict[int, tuple[Engine, Engine]] = {}

    def __repr__(self) -> str:
        return "Database(…)"

    @property
    def file(self) -> Path | None:
        """Where SQLite keeps it; None for PostgreSQL, whose disk is not ours to see."""
        parsed = make_url(self._url)
        return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None

    def read(self) -> AbstractContextManager[Tx]:
        """A transaction that sees one moment of the database and cannot change it.

        Raises Transient when the database cannot be reached, Misconfigured when its tables are missing.
        """
        return self._transaction(writing=False)

    def write(self) -> AbstractContextManager[Tx]:
        """A transaction that commits once at the end and rolls back on any exception.

        Raises Transient when the database is locked for too long, lost, or full; then nothing was stored. If
        the connection is lost while the commit travels, it may have been stored all the same: look again.
        """
        return self._transaction(writing=True)

    def check_schema(self) -> None:
        """Raises Misconfigured, saying what to run, when the tables are not those of this version."""
        with self.read() as tx:
            revision.check(tx.connection)

    def close(self) -> None:
        """Close this process's connections."""
        for engine in self._engines.pop(os.getpid(), ()):
            engine.dispose()

    @contextmanager
    def _transaction(self, *, writing: bool) -> Iterator[Tx]:
        try:
            with self._engine(writing=writing).begin() as connection:
                yield Tx(connection, self._sealer, writing)
        except SQLAlchemyError as error:
            failure = no_room(self.file) if is_of_the_disk(error) else None
            failure = failure or failure_of(error)
            if failure is None:
                raise
            raise failure from error

    def _engine(self, *, writing: bool) -> Engine:
        """The engine of a parent process is kept, unused: to drop it would close the parent's connections."""
        process = os.getpid()
        engines = self._engines.get(process)
        if engines is None:
            engines = self._engines.setdefault(process, _engines(self._url))
        return engines[1] if writing else engines[0]


def _engines(url: str) -> tuple[Engine, Engine]:
    engine = make_engine(url)
    writing = engine.execution_options(**{WRITING: True})
    reading = engine.execution_options(**{WRITING: False})
    if engine.dialect.name == "postgresql":
        writing = writing.execution_options(isolation_level="READ COMMITTED")
        reading = reading.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return reading, writing
