"""How every door carries out a command: one write transaction, one commit, then a wake (DESIGN, "Two kinds")."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from sync.commands import redis_watch
from sync.desk import BareDesk
from sync.domain.errors import Transient
from sync.domain.work.lane import Lane
from sync.store.database.transactions import Tx
from sync.store.mappings import refuse_outdated

T = TypeVar("T")
log = structlog.get_logger()


def perform(desk: BareDesk, command: Callable[[Tx], T], *, wakes: Lane) -> T:
    """Run the command, commit, wake the lane. A wake that fails is told: the sweep makes it good (H1).

    Raises Transient, and stores nothing, if the command was decided by a policy that is no longer in force.
    """
    with desk.db.write() as tx:
        refuse_outdated(tx, desk.policy_number)
        result = command(tx)
    wake(desk, wakes)
    return result


def wake(desk: BareDesk, lane: Lane) -> bool:
    """False: nobody could be woken; it is told and noted for operators."""
    try:
        desk.wake.wake(lane)
    except Transient as failure:
        log.warning("the workers could not be woken; they look by themselves soon", reason=str(failure))
        redis_watch.fails(desk, str(failure))
        return False
    return True
