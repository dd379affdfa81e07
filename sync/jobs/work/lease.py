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
    """Before each write, in Keycloak or FSM: the lease must outlast the request, or the account may be somebody
    else's by then. Raises Transient if it is."""
    if remaining(systems, claim) > LEASE / 2:
        return
    with systems.db.write() as tx:
        if not leases.extend(tx, claim, systems.clock.now() + LEASE):
            raise Transient(
                "the lease was lost; somebody else looks after this account", code=FailureCode.LEASE_LOST
            )


def keep_leases(systems: Systems, claims: Sequence[Claim]) -> None:
    """`keep_lease` for accounts that are brought about together. Raises Transient if one of them was lost."""
    if min(remaining(systems, claim) for claim in claims) > LEASE / 2:
        return
    with systems.db.write() as tx:
        until = systems.clock.now() + LEASE
        if not all(leases.extend(tx, claim, until) for claim in claims):
            raise Transient(
                "the lease on one of these accounts was lost; somebody else looks after it",
                code=FailureCode.LEASE_LOST,
            )


def remaining(systems: Systems, claim: Claim) -> timedelta:
    return claim.lease_until - systems.clock.now()
