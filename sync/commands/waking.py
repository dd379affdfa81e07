"""Waking the workers of a lane after a commit. A wake is a hint: one that fails is told and noted for operators,
and the sweep makes it good (H1).

Without Redis, or with one that refuses writes, nothing is lost and much comes late. The sweep, which comes through
Redis itself, takes the note away.
"""

from __future__ import annotations

from typing import Final

import structlog

from sync.desk import BareDesk
from sync.domain.errors import Failure, Transient
from sync.domain.work.lane import Lane
from sync.store.operations import troubles

REMEDY: Final = (
    "see that Redis runs, has memory left (maxmemory) and is no read-only replica; what is stored waits in our "
    "database and goes on by itself"
)

log = structlog.get_logger()


def wake(desk: BareDesk, lane: Lane) -> bool:
    """False: nobody could be woken; it is told and noted for operators."""
    try:
        desk.wake.wake(lane)
    except Transient as failure:
        log.warning("the workers could not be woken; they look by themselves soon", reason=str(failure))
        fails(desk, str(failure))
        return False
    return True


def fails(desk: BareDesk, reason: str) -> None:
    """Note it; whoever wakes has done its work already, and is not stopped if even this cannot be written."""
    try:
        with desk.db.write() as tx:
            troubles.note(tx, troubles.REDIS, f"workers cannot be woken: {reason}", REMEDY, desk.clock.now())
    except Failure as failure:
        log.warning("that nobody could be woken cannot be noted", reason=str(failure))


def works(desk: BareDesk) -> None:
    """Wakes go out again: one read, and a write where a note was left."""
    with desk.db.read() as tx:
        if not troubles.is_noted(tx, troubles.REDIS):
            return
    with desk.db.write() as tx:
        troubles.clear(tx, troubles.REDIS)
