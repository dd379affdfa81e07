"""The lease on an account while a worker is at it: how long it is, and keeping it before each write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sync.domain.errors import Transient
from sync.jobs.systems import Site
from sync.store.work import leases
from sync.store.work.leases import Claim

LEASE = timedelta(seconds=60)
"""How long a claim is ours; longer than any single request to Keycloak (settings: at most 25 s)."""


def keep_lease(site: Site, claim: Claim) -> None:
    """Before each write, in Keycloak or FSM: the lease must outlast the request, or the account may be somebody
    else's by then. Raises Transient if it is."""
    if remaining(site, claim) > LEASE / 2:
        return
    with site.db.write() as tx:
        if not leases.extend(tx, claim, site.clock.now() + LEASE):
            raise Transient("the lease was lost; somebody else looks after this account")


def keep_leases(site: Site, claims: Sequence[Claim]) -> None:
    """`keep_lease` for accounts that are brought about together. Raises Transient if one of them was lost."""
    if min(remaining(site, claim) for claim in claims) > LEASE / 2:
        return
    with site.db.write() as tx:
        until = site.clock.now() + LEASE
        if not all(leases.extend(tx, claim, until) for claim in claims):
            raise Transient("the lease on one of these accounts was lost; somebody else looks after it")


def remaining(site: Site, claim: Claim) -> timedelta:
    return claim.lease_until - site.clock.now()
