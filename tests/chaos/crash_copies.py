"""Databases that begin as a copy of another one: hundreds of them, each for one run of a crash test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import psycopg
from psycopg import sql

from sync.devstack.services import postgres
from sync.store.database import schema
from tests.services import PostgresServer


class Copies(Protocol):
    def empty(self) -> str:
        """The address of a database with the tables of this version."""

    def copy(self, url: str) -> str:
        """The address of a new copy; nobody may be connected to the original."""


@dataclass(frozen=True)
class SqliteCopies:
    folder: Path
    migrated: Path

    def empty(self) -> str:
        return self.copy(f"sqlite:///{self.migrated}")

    def copy(self, url: str) -> str:
        target = self.folder / f"{uuid4().hex}.db"
        target.write_bytes(Path(url.removeprefix("sqlite:///")).read_bytes())
        return f"sqlite:///{target}"


@dataclass
class PostgresCopies:
    server: PostgresServer
    names: list[str] = field(default_factory=list)

    def empty(self) -> str:
        name = self._next()
        postgres.create_database(self.server.port, self.server.password, name)
        url = self._url(name)
        schema.upgrade(url)
        return url

    def copy(self, url: str) -> str:
        name = self._next()
        original = url.rpartition("/")[2]
        with psycopg.connect(self._url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(original))
            )
        return self._url(name)

    def _url(self, name: str) -> str:
        return postgres.postgres_url(self.server.port, self.server.password, name)

    def _next(self) -> str:
        self.names.append(f"crash_{uuid4().hex[:12]}")
        return self.names[-1]


@contextmanager
def postgres_copies(server: PostgresServer) -> Iterator[Copies]:
    """All of them are dropped at the end."""
    made = PostgresCopies(server)
    try:
        yield made
    finally:
        for name in made.names:
            postgres.drop_database(server.port, server.password, name)
