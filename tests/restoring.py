"""A backup of our database, and a restore of it while Keycloak goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def back_up(database: Path) -> Path:
    """As it is now; answers where the copy is."""
    backup = database.with_suffix(".backup")
    _copy(database, backup)
    return backup


def restore(database: Path, backup: Path) -> None:
    """Everything that was stored since is lost to us; Keycloak knows nothing of it."""
    _copy(backup, database)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)
