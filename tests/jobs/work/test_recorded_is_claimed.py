"""What a job writes of its own work takes what it still has claimed; no function of the store is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from sync.domain.work.claimed import ClaimedAccount
from tests.store_writes import called_without, classes_on

pytestmark = pytest.mark.supports("H1")

CLAIMS = "it makes the claim"
SWEEP = "whoever sweeps has the lock of the sweep, and ends what is over anyway"
LOOK = "workers look, and find nothing else wanted than before"
FOLLOWS = "it follows from an act that is recorded in the same transaction"
ANYBODY = "what anybody may notice of a system that all of us use"
COMES_ROUND = "what comes round anyway comes sooner"

NO_WORK_OF_ITS_OWN: Mapping[str, str] = {
    "accounts.passwords.erase_expired": SWEEP,
    "acts.erase_expired": SWEEP,
    "audit.trail.audit": "it says what is recorded or wanted in the same transaction",
    "deactivation.assignment_stops.remember": "a late stop must not stay without its owner, whoever has the lease",
    "deactivation.reassignments.claim": CLAIMS,
    "mail.outbox.claim": CLAIMS,
    "mail.outbox.enqueue": FOLLOWS,
    "mail.outbox.expire": SWEEP,
    "mail.outbox.give_up": FOLLOWS,
    "operations.troubles.clear": ANYBODY,
    "operations.troubles.note": ANYBODY,
    "provisioning.due.look_again": LOOK,
    "provisioning.due.look_again_many": LOOK,
    "provisioning.due.look_at_waiting": LOOK,
    "provisioning.due.mark_due": LOOK,
    "runs.pushes.count": "it counts a change that is wanted in the same transaction",
    "runs.run_rows.add_rows": "pages of a run that nothing acts on before it is confirmed",
    "schedule.claim": CLAIMS,
    "schedule.hasten": COMES_ROUND,
    "schedule.register": COMES_ROUND,
    "work.account_claims.claim": CLAIMS,
    "work.account_claims.claim_alone": CLAIMS,
    "work.account_claims.claim_deadly": CLAIMS,
    "work.account_claims.claim_looks": CLAIMS,
    "work.account_claims.claim_one": CLAIMS,
    "work.account_claims.claim_quarantined": CLAIMS,
    "work.circuits.begin_probe": CLAIMS,
    "work.circuits.change": ANYBODY,
    "work.lease_rows.take_over": "it takes claims away",
}
"""What jobs call and that takes neither what is still claimed nor a claim, and why it needs none."""


KINDS = (
    "StillClaimed",
    "ClaimedAccount",
    "ClaimedMail",
    "ClaimedReassignment",
    "ClaimedJob",
    "ClaimedRun",
    "RunClaim",
)
MADE = re.compile(rf"\b_(?:{'|'.join(KINDS)})\b")


def test_no_job_records_what_it_does_not_hold() -> None:
    """Whatever is new in the store and called by a job takes what is still claimed, or says here why not."""
    proofs = {*KINDS, "Claim", "JobClaim", "MailClaim", "ReassignmentClaim", "Lease"}
    without, taking = called_without("jobs", proofs | {"Granted", "GrantedAccount", "Probe"})
    assert without == NO_WORK_OF_ITS_OWN.keys()
    assert {"acts.finish", "drift.findings.found", "logins.take", "runs.run_rows.write_outcomes"} <= taking


def test_nobody_but_the_store_says_what_is_held() -> None:
    """A class of its own would say so without a look at the lease."""
    found = classes_on({*KINDS, *(f"_{kind}" for kind in KINDS)})
    assert found == {
        "sync/domain/work/claimed.py": frozenset(KINDS) - {"StillClaimed", "RunClaim"},
        "sync/store/work/lease_rows.py": {
            "_ClaimedAccount",
            "_ClaimedMail",
            "_ClaimedReassignment",
            "_ClaimedJob",
        },
        "sync/store/runs/runs.py": {"RunClaim", "_RunClaim"},
    }
    makers = {str(path) for path in Path("sync").rglob("*.py") if MADE.search(path.read_text(encoding="utf-8"))}
    assert makers == found.keys() - {"sync/domain/work/claimed.py"}
    with pytest.raises(TypeError, match="abstract"):
        ClaimedAccount("account-1")  # type: ignore[abstract]
