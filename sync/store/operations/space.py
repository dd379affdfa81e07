"""Whether our database takes what is to be stored. Operators ask it themselves: a database that takes nothing
cannot keep a note of that either."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sync.domain.errors import Failure
from sync.store.database.engine import DISK_FULL
from sync.store.database.transactions import Database
from sync.store.operations import troubles
from sync.store.operations.troubles import Trouble

NARROW: Final = 200 * 1024 * 1024
"""Bytes. An import of 10,000 people takes about a tenth of it, history and journal included."""

REMEDY: Final = "free disk space on the database's machine; work goes on by itself, nothing is lost meanwhile"


def troubles_of(db: Database, now: datetime) -> tuple[Trouble, ...]:
    """What a small write meets, which leaves nothing behind, and for SQLite whether its disk is nearly full."""
    return tuple(_met(db, now))


def of_failure(failure: Failure) -> Trouble:
    """What our database refuses to do, with what to do about it."""
    full = str(failure) == DISK_FULL
    return Trouble(str(failure), None, REMEDY if full else "mend what the message names; work goes on by itself")


def _met(db: Database, now: datetime) -> Iterator[Trouble]:
    try:
        with db.write() as tx:
            troubles.note(tx, "a write", "a write is tried", "", now)
            troubles.clear(tx, "a write")
    except Failure as failure:
        yield of_failure(failure)
    file = db.file
    if file is not None and file.parent.is_dir():
        left = shutil.disk_usage(file.parent).free
        if left < NARROW:
            yield Trouble(f"the disk under {file} has {left // 1024 // 1024} MiB left", None, REMEDY)
