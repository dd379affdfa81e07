"""Connections to the FSM database, and what its errors mean for us.

`sql` makes its engine here. Everything is short: a worker that waits for the FSM database holds a lease.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sync.domain.errors import Failure, FailureCode, Misconfigured, NeedsPerson, System, Transient

FSM: System = "fsm"
SETTING = "FSM_FIELD_SERVICE_URL"
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10
WRITING = "fsm_writing"
"""Execution option of a connection: True for a transaction that changes something."""

_NO_CONNECTION = ("", "SQLITE_CANTOPEN")
"""A connection that was never made has no SQLSTATE."""

_CONNECTION_LOST = "08"
_REFUSED_LOGIN = ("28000", "28P01", "3D000")
_REFUSED_STATEMENT = ("42", "22")
"""Classes of SQLSTATE: no such table or column, no permission; a value of another type than the column's."""


def parse(url: str) -> URL:
    """Raises Misconfigured, without showing the URL, for anything but SQLite and PostgreSQL."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        raise _setting("not a database URL (sqlite:///file or postgresql://…)") from None
    if backend == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise _setting("SQLite needs a file")
    if backend not in {"sqlite", "postgresql"}:
        raise _setting(f"{backend} is not supported; use SQLite or PostgreSQL")
    return parsed


def place(url: URL) -> str:
    """What messages call the database: nothing of the user, the password or the query."""
    if url.get_backend_name() == "sqlite":
        return f"the FSM database {url.database}"
    port = f":{url.port}" if url.port else ""
    return f"the FSM database {url.database} at {url.host or 'this machine'}{port}"


def make_engine(url: URL) -> Engine:
    """Opens nothing yet. A SQLite file that is missing is not created: an empty database would say that nobody
    has open work."""
    if url.get_backend_name() == "sqlite":
        file = f"file:{quote(str(url.database))}?mode=rw"
        engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(file, uri=True, timeout=CONNECT_SECONDS, isolation_level=None),
            poolclass=NullPool,
            hide_parameters=True,
        )
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args=_postgres_arguments(url.query),
        pool_size=2,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
    )


def failure_of(error: Exception, where: str) -> Failure:
    """The failure an error of SQLAlchemy stands for. Never "nothing found": what cannot be asked is an error."""
    if not isinstance(error, DBAPIError):
        if isinstance(error, PoolTimeout):
            return _away(f"{where}: {type(error).__name__}", FailureCode.UNAVAILABLE)
        return _unusable(f"{where}: {type(error).__name__}", FailureCode.SETTING_WRONG)
    cause = error.orig
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or ""
    text = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    if isinstance(error, IntegrityError):
        return NeedsPerson(f"{where} refuses the change: {text}", code=FailureCode.VALUE_REFUSED, about=FSM)
    if code in _REFUSED_LOGIN or "authentication failed" in text:
        return _unusable(f"{SETTING}: {where} refuses us: {text}", FailureCode.ACCESS_REFUSED)
    if code.startswith(_REFUSED_STATEMENT) or "no such table" in text or "no such column" in text:
        return _unusable(f"{where} does not fit field_service.toml: {text}", FailureCode.TABLES_DIFFER)
    if code in {"SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_READONLY"}:
        return _unusable(f"{SETTING}: {where} cannot be used: {text}", FailureCode.SETTING_WRONG)
    unreachable = error.connection_invalidated or code in _NO_CONNECTION or code.startswith(_CONNECTION_LOST)
    return _away(
        f"{where} cannot be asked just now: {text}",
        FailureCode.UNREACHABLE if unreachable else FailureCode.UNAVAILABLE,
    )


def _setting(what: str) -> Misconfigured:
    return Misconfigured(f"{SETTING}: {what}", code=FailureCode.SETTING_WRONG, about=FSM)


def _away(message: str, code: FailureCode) -> Transient:
    return Transient(message, system=FSM, code=code, about=FSM)


def _unusable(message: str, code: FailureCode) -> Misconfigured:
    return Misconfigured(message, system=FSM, code=code, about=FSM)


def _postgres_arguments(query: Mapping[str, Any]) -> dict[str, Any]:
    limits = f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={CONNECT_SECONDS}s"
    own = query.get("options", "")
    return {
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": STATEMENT_SECONDS * 1000,
        "application_name": "fsm-identity",
        "options": f"{own} {limits}".strip(),
    }


def _begin_sqlite(connection: Connection) -> None:
    """A transaction that writes takes the lock before it reads: what it decides on cannot change meanwhile."""
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
