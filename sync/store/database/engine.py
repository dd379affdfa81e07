"""Connections to SQLite and PostgreSQL, made to behave alike, and what their errors mean for us.

`database` and `schema` make engines here; nothing else opens a connection.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sync.domain.errors import Failure, Misconfigured, System, Transient

DATABASE: System = "database"
LOCK_WAIT_SECONDS = 10
UPGRADE = "run: fsm-identity database upgrade"
WRITING = "fsm_writing"
"""Execution option of a connection: True for a transaction that may change something."""

DISK_FULL = "our database has no disk space left; free some on its machine"
NO_ROOM = 64 * 1024
"""Bytes. Even to be read SQLite needs half of it, for the index of its journal."""

_MISSING_SCHEMA = ("42P01", "42703")
_REFUSED_LOGIN = ("28000", "28P01", "3D000")
_DISK_FULL = ("53100", "SQLITE_FULL")
_READ_ONLY = "25006"
"""PostgreSQL after a failover, as long as the server we talk to is the standby."""
_SQLITE_FILE = {
    "SQLITE_CANTOPEN": "the SQLite file cannot be opened (does its folder exist?)",
    "SQLITE_READONLY": "the SQLite file, or this transaction, is for reading only",
    "SQLITE_NOTADB": "the SQLite file cannot be used",
    "SQLITE_CORRUPT": "the SQLite file cannot be used",
}


def make_engine(url: str, lock_wait_seconds: int = LOCK_WAIT_SECONDS) -> Engine:
    """An engine for a file of SQLite or a PostgreSQL database. Raises Misconfigured for any other URL."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        raise Misconfigured("FSM_DATABASE_URL: not a database URL (sqlite:///file or postgresql://…)") from None
    if backend == "sqlite":
        if parsed.database in {None, "", ":memory:"}:
            raise Misconfigured("FSM_DATABASE_URL: SQLite needs a file; several processes share it")
        engine = create_engine(parsed, connect_args={"timeout": lock_wait_seconds}, hide_parameters=True)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if backend == "postgresql":
        connect: dict[str, Any] = {"connect_timeout": 10, "application_name": "fsm-identity"}
        if "options" not in parsed.query:
            connect["options"] = f"-c lock_timeout={lock_wait_seconds}s"
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            connect_args=connect,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    raise Misconfigured(f"FSM_DATABASE_URL: {backend} is not supported; use SQLite or PostgreSQL")


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own object
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A write transaction takes the lock at once: one that starts reading and then wants to write fails
    without waiting when another has written meanwhile."""
    writing = connection.get_execution_options().get(WRITING, True)
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writing else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED")


def failure_of(error: BaseException) -> Failure | None:
    """The failure an error of the database stands for, None for a mistake of ours (such as a broken
    constraint), which is raised as it is."""
    if isinstance(error, PoolTimeout):
        return Transient("our database: no connection became free in time", system=DATABASE)
    if not isinstance(error, DBAPIError):
        return None
    cause = error.orig
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or ""
    text = " ".join(str(cause).split())
    if "no such savepoint" in text:
        return _behind_lost_savepoint(error)
    if code in _MISSING_SCHEMA or "no such table" in text or "no such column" in text:
        return Misconfigured(f"our database has not the tables of this version; {UPGRADE}")
    if code in _DISK_FULL:
        return Transient(DISK_FULL, system=DATABASE)
    if code in _REFUSED_LOGIN or "authentication failed" in text or "does not exist" in text:
        return Misconfigured(f"FSM_DATABASE_URL: our database refuses us: {text}")
    if code in _SQLITE_FILE:
        return Misconfigured(f"FSM_DATABASE_URL: {_SQLITE_FILE[code]}: {text}")
    if type(error).__name__ in {"OperationalError", "InterfaceError"} or code == _READ_ONLY:
        return Transient(f"our database cannot be used just now: {text}", system=DATABASE)
    lost = Transient(f"our database was lost: {text}", system=DATABASE)
    return lost if error.connection_invalidated else None


def is_of_the_disk(error: BaseException) -> bool:
    """SQLite could not read, write or open a file: on a full disk not even reading begins, and the error does not
    say why."""
    name = getattr(getattr(error, "orig", None), "sqlite_errorname", None) or ""
    return name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN"))


def no_room(file: Path | None) -> Failure | None:
    """The failure of a SQLite file whose disk is full; None: there is room, or nobody can see."""
    if file is None or not file.parent.is_dir() or shutil.disk_usage(file.parent).free >= NO_ROOM:
        return None
    return Transient(DISK_FULL, system=DATABASE)


def _behind_lost_savepoint(error: BaseException) -> Failure | None:
    """SQLite ends the whole transaction when the disk is full; going back to a savepoint then fails too and
    hides the reason, which is the error before."""
    before = error.__context__
    while before is not None and not isinstance(before, DBAPIError):
        before = before.__context__
    return None if before is None else failure_of(before)
