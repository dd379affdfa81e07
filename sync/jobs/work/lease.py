"""Keeping a lease before each request: of an account, a mail, a reassignment or a job, all in one way (H1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol, TypeVar

from sync.domain.errors import FailureCode, Transient
from sync.domain.work.claimed import StillClaimed
from sync.domain.work.lease import LEASE, SILENT_AFTER
from sync.jobs.systems import Systems
from sync.store.database.transactions import Tx
from sync.store.work import lease_rows
from sync.store.work.account_claims import Claim
from sync.store.work.lease_rows import Lease, Terms

K = TypeVar("K", bound=StillClaimed)


class Leased(Protocol[K]):
    """What was claimed."""

    @property
    def lease(self) -> Lease[K]: ...


def keep_lease(systems: Systems, claim: Leased[K]) -> None:
    """Before each request: the lease must outlast it, or the work may be somebody else's by then. Raises
    Transient if it is."""
    keep_leases(systems, [claim])


def keep_leases(systems: Systems, claims: Sequence[Leased[K]]) -> None:
    """`keep_lease` for what is brought about together. Raises Transient if one of them was lost. Who has extended
    a lease knows it, and writes nothing for as long as nobody can have taken it away."""
    now = systems.clock.now()
    if min(claim.lease.until for claim in claims) - now > LEASE - SILENT_AFTER:
        return
    with systems.db.write() as tx:
        if not all(lease_rows.extend(tx, claim.lease, now + LEASE) for claim in claims):
            raise lost()
    for claim in claims:
        claim.lease.until = now + LEASE


def require_claim(tx: Tx, claim: Leased[K]) -> K:
    """The lease until the transaction ends. Raises Transient, and so undoes the transaction, if it was lost."""
    claimed = lease_rows.still_claimed(tx, claim.lease)
    if claimed is None:
        raise lost()
    return claimed


def lost() -> Transient:
    return Transient("the lease was lost; somebody else looks after this now", code=FailureCode.LEASE_LOST)


def terms(systems: Systems) -> Terms:
    """On which this process claims something now."""
    return Terms(systems.clock.now(), systems.holder)


def remaining(systems: Systems, claim: Claim) -> timedelta:
    """Of the time that a batch has; what was not begun in it is given back."""
    return claim.claimed_until - systems.clock.now()
