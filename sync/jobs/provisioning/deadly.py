"""Accounts over which one worker after the other ended without a word, out of memory or in a crash: they wait for
a person, like everything that does not pass by itself. `provision` calls it when the lane has nothing else due.
"""

from __future__ import annotations

import structlog

from sync.domain.errors import FailureCode, NeedsPerson
from sync.domain.work.lane import Lane
from sync.jobs.systems import Systems
from sync.jobs.work.lease import terms
from sync.jobs.work.recording import Failed, record
from sync.store.work import account_claims

log = structlog.get_logger()


def give_up_deadly(systems: Systems, lane: Lane) -> int:
    """Put them in quarantine without touching them. Returns how many."""
    with systems.db.write() as tx:
        claims = account_claims.claim_deadly(tx, lane, terms(systems))
        for claim in claims:
            failure = NeedsPerson(
                f"{claim.takeovers} workers in a row ended over this account", code=FailureCode.WORKERS_ENDED
            )
            record(tx, systems.policy, claim, Failed(failure), systems.clock.now())
            log.error("workers ended over an account; it waits for a person", account=claim.account.id)
    return len(claims)
