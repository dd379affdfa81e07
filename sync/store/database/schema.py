"""Bringing a database to the tables of this version and back, and saying where it stands (J4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from sync.domain.errors import Misconfigured, Problem, Refused
from sync.store.database.engine import LOCK_WAIT_SECONDS, UPGRADE, failure_of, make_engine

MIGRATIONS = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME = 7_106_302_391
"""The number of the advisory lock under which PostgreSQL is migrated: any constant will do."""

_UNRELEASED = re.compile(r"\d{4}")
"""Revisions of before the first release had a bare number."""

UPGRADE_WAIT_SECONDS = 120
"""How long one upgrade waits for another: processes that start together all upgrade, and all migrations together
take longer than any lock of daily work is held."""


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """`current` is None for a database without our tables; `waiting` are the revisions still to run."""

    current: str | None
    newest: str
    waiting: tuple[str, ...]


def upgrade(url: str) -> SchemaStatus:
    """Run every migration that is missing, as one transaction. Two at once wait for each other.

    Raises Misconfigured when the database belongs to a newer version, Transient when it cannot be reached.
    """
    with _migrating(url) as (connection, config):
        command.upgrade(config, "head")
        return _status(connection)


def downgrade(url: str, revision: str) -> SchemaStatus:
    """Go back to a revision, "base" for an empty database: what later tables held is lost.

    Raises Refused for a revision this program does not know.
    """
    known = [each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()]
    if revision not in {"base", *known}:
        raise Refused([Problem("revision", f"{revision!r} is not known", f"base or one of {', '.join(known)}")])
    with _migrating(url) as (connection, config):
        command.downgrade(config, revision)
        return _status(connection)


def status(url: str) -> SchemaStatus:
    """Where the database stands. Changes nothing."""
    with _connected(url) as connection:
        return _status(connection)


def check(connection: Connection) -> None:
    """Raises Misconfigured, saying what to run, unless the tables are those of this version. `revision` answers
    sooner where they are."""
    found = _status(connection)
    if found.current is None:
        raise Misconfigured(f"our database has no tables yet; {UPGRADE}")
    if found.waiting:
        raise Misconfigured(
            f"our database is at revision {found.current}, this version needs {found.newest}; {UPGRADE}"
        )


def _status(connection: Connection) -> SchemaStatus:
    scripts = ScriptDirectory.from_config(_config())
    newest = scripts.get_current_head() or ""
    current = MigrationContext.configure(connection).get_current_revision()
    try:
        waiting = [each.revision for each in scripts.iterate_revisions("head", current or "base")]
    except (CommandError, RevisionError):
        if _UNRELEASED.fullmatch(current or ""):
            raise Misconfigured(
                f"our database was made by an unreleased version (revision {current}): start with an empty "
                "database and an empty realm"
            ) from None
        raise Misconfigured(
            f"our database is at revision {current}, which this version does not know: "
            "it was upgraded by a newer version; run that one"
        ) from None
    return SchemaStatus(current, newest, tuple(reversed(waiting)))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


@contextmanager
def _connected(url: str, lock_wait_seconds: int = LOCK_WAIT_SECONDS) -> Iterator[Connection]:
    engine = make_engine(url, lock_wait_seconds)
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        failure = failure_of(error)
        if failure is None:
            raise
        raise failure from error
    finally:
        engine.dispose()


@contextmanager
def _migrating(url: str) -> Iterator[tuple[Connection, Config]]:
    with _connected(url, UPGRADE_WAIT_SECONDS) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ONE_AT_A_TIME})
        config = _config()
        config.attributes["connection"] = connection
        _status(connection)
        try:
            yield connection, config
        except CommandError as error:
            raise Misconfigured(f"our database cannot be migrated: {error}") from error
