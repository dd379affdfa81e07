"""Whether our tables are those of this version: what every process asks at its start (J4).

The answer is nearly always yes, and comes without the library that migrates, whose loading would take longer than
the command. For all else there is `schema`.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Connection, inspect, text

VERSIONS = Path(__file__).parent / "migrations" / "versions"
_REVISION = re.compile(r'^(down_revision|revision)\b[^=\n]*= "([^"]+)"', re.MULTILINE)


def check(connection: Connection) -> None:
    """Raises Misconfigured, saying what to run, unless the tables are those of this version."""
    if current(connection) == newest():
        return
    from sync.store.database import schema

    schema.check(connection)


def current(connection: Connection) -> str | None:
    """As the database has it noted down; None: it has none of our tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def newest() -> str | None:
    """The migration that none comes after; None where it is not clear which that is."""
    found = [pair for path in sorted(VERSIONS.glob("*.py")) for pair in _REVISION.findall(path.read_text("utf-8"))]
    followed = {name for kind, name in found if kind == "down_revision"}
    last = {name for kind, name in found if kind == "revision"} - followed
    return last.pop() if len(last) == 1 else None
