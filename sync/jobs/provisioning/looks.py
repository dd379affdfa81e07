"""Looks that doors ask for: the user as it is in Keycloak now, stored and otherwise left alone.

What a look at due work would put right stays as it is, for the drift policy may say that a person decides. Called
with the interactive lane; whoever asked waits for seconds.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from sync.domain.accounts.status import observation_of
from sync.domain.errors import Failure
from sync.domain.provisioning.observed import Observed
from sync.domain.work.lane import Lane
from sync.jobs.systems import Systems
from sync.jobs.work import circuits
from sync.jobs.work.lease import keep_lease, terms
from sync.jobs.work.unforeseen import as_failure
from sync.ports.lease import kept
from sync.store.provisioning import looks, observations
from sync.store.work import account_claims, lease_rows
from sync.store.work.account_claims import Claim

AT_ONCE = 5
"""Few, for due work comes after them, such as a deactivation."""

GONE: Final = "the user does not exist in Keycloak"


def look_where_asked(systems: Systems) -> int:
    """Look at some accounts. Returns how many; 0: nobody has asked, or Keycloak cannot be asked."""
    with systems.db.read() as tx:
        if not account_claims.any_looks(tx, systems.clock.now()):
            return 0
    with systems.db.write() as tx:
        claims, watch = circuits.claim(
            systems,
            tx,
            Lane.INTERACTIVE,
            lambda limit: account_claims.claim_looks(tx, terms(systems), limit),
            AT_ONCE,
        )
    for claim in claims:
        if not watch.closed:
            _give_back(systems, claim)
            continue
        found = _observe(systems, claim)
        if claim.account.idp_user_id is not None:
            watch.report(found if isinstance(found, Failure) else None)
        else:
            watch.report_nothing()
        _record(systems, claim, found)
    return len(claims)


def _observe(systems: Systems, claim: Claim) -> Observed | Failure | None:
    """None: there is no such user."""
    if claim.account.idp_user_id is None:
        return None
    try:
        with kept(partial(keep_lease, systems, claim)):
            return systems.accounts.observe(claim.account.idp_user_id, sessions=True)
    except Exception as error:
        return as_failure(error, account=claim.account.id)


def _record(systems: Systems, claim: Claim, found: Observed | Failure | None) -> None:
    """Nothing of it if the lease was lost: whoever has it sees the user later than we did."""
    now = systems.clock.now()
    with systems.db.write() as tx:
        claimed = lease_rows.still_claimed(tx, claim.lease)
        if claimed is None:
            return
        if isinstance(found, Failure):
            looks.answered(tx, claimed, f"{found.kind}: {found}")
        elif found is None:
            observations.forget(tx, claimed)
            looks.answered(tx, claimed, GONE)
        else:
            observations.keep_all(tx, {claimed: observation_of(found, now)})
            looks.answered(tx, claimed, None)
        account_claims.release(tx, claim)


def _give_back(systems: Systems, claim: Claim) -> None:
    with systems.db.write() as tx:
        account_claims.release(tx, claim)
