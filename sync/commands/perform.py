"""How every door carries out a command: one write transaction, one commit, then a wake
(rule: one-commit-then-wake)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from sync.commands.waking import wake
from sync.desk import BareDesk
from sync.domain.work.lane import Lane
from sync.store.database.transactions import Tx
from sync.store.mappings import refuse_outdated

T = TypeVar("T")
log = structlog.get_logger()


def perform(desk: BareDesk, command: Callable[[Tx], T], *, wakes: Lane | None) -> T:
    """Run the command, commit, wake the lane if there is one; a wake that fails is told (H1).

    Raises Transient, and stores nothing, if the command was decided by a policy that is no longer in force.
    """
    with desk.db.write() as tx:
        refuse_outdated(tx, desk.policy_number)
        result = command(tx)
    if wakes is not None:
        wake(desk, wakes)
    return result
