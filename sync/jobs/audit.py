"""Chaining the audit trail: entries get their number and their hash after their commit, by one worker at a time,
so that no change waits for another's entry; and keeping the head elsewhere (G1).

Both are rows of the table `schedule` and of no lane: no pause stops them. A crash leaves the links of whole
commits, and the entries that still wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from sync.domain.errors import Failure
from sync.jobs.systems import Systems
from sync.jobs.work.job import Job, KeepLease
from sync.store.audit import chain

NAME: Final = "audit-chain"

AGAIN_AFTER: Final = timedelta(seconds=4)
"""Sweeps come every 5 s: each finds it due."""

AT_A_TURN: Final = 20
"""Pages of one run: a backlog, such as that of an upgrade, is worked off without keeping the sweep waiting."""


def chain_entries(systems: Systems, keep: KeepLease) -> None:
    """Chain what waits, a page a commit."""
    for _ in range(AT_A_TURN):
        with systems.db.write() as tx:
            chained = chain.chain_some(tx, keep.claimed(tx), systems.clock.now())
        if chained < chain.PAGE:
            return
        keep()


def keep_head(systems: Systems, keep: KeepLease) -> None:
    """Hand the head to whoever keeps it, unless they all have it. One that fails leaves the others theirs, and is
    asked again with them. Raises what the last of them raised."""
    with systems.db.read() as tx:
        head = chain.head(tx)
    if not systems.anchors or head.number <= keep.state.get("number", 0):
        return
    failed: Failure | None = None
    for anchor in systems.anchors:
        try:
            anchor.keep(head, systems.clock.now())
        except Failure as failure:
            failed = failure
    if failed is not None:
        raise failed
    with systems.db.write() as tx:
        keep.save(tx, {"number": head.number})


CHAINING: Mapping[str, Job] = {NAME: Job(chain_entries, AGAIN_AFTER)}
ANCHORING: Mapping[str, Job] = {"audit-anchor": Job(keep_head, timedelta(minutes=5))}
