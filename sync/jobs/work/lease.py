"""The lease on an account while a worker is at it: how long it is, and keeping it before each write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sync.domain.errors import FailureCode, Transient
from sync.jobs.systems import Systems
from sync.store.work import leases
from sync.store.work.leases import Claim

LEASE = timedelta(seconds=60)
"""How long a claim is ours; longer than any single request to Keycloak (settings: at most 25 s)."""


def keep_lease(systems: Systems, claim: Claim) -> None:
    """Before each request: the lease must outlast it, or the account may be somebody else's by then. Raises
    Transient if it is."""
    keep_leases(systems, [claim])


def keep_leases(systems: Systems, claims: Sequence[Claim]) -> None:
    """`keep_lease` for accounts that are brought about together. Raises Transient if one of them was lost. Who has
    extended a lease knows it, and writes nothing until half of it is over."""
    now = systems.clock.now()
    if min(claim.extension.until or claim.lease_until for claim in claims) - now > LEASE / 2:
        return
    with systems.db.write() as tx:
        if not all(leases.extend(tx, claim, now + LEASE) for claim in claims):
            raise Transient(
                "the lease was lost; somebody else looks after this account", code=FailureCode.LEASE_LOST
            )
    for claim in claims:
        claim.extension.until = now + LEASE


def remaining(systems: Systems, claim: Claim) -> timedelta:
    """Of the time that a batch has; what was not begun in it is given back."""
    return claim.lease_until - systems.clock.now()
