"""Adopting what a person has reviewed, row by row: each user is marked and linked with its account, and from then
on the workers bring it to what is wanted like any other (G4).

Each row is done under the lease of its account, so that no worker is at it between the mark and the link. One that
a worker is at waits. Interrupted, the next worker goes on: the mark is put on once, and the link tells that it is
done.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sync.commands.accounts.change import existing
from sync.commands.waking import wake
from sync.domain.drift.anomaly import Anomaly
from sync.domain.errors import Failure, Misconfigured, Problem, Refused, Transient
from sync.domain.work.lane import Lane
from sync.jobs.acts.release import take_off
from sync.jobs.adoption.create_again import give_account_back
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.jobs.work.lease import keep_lease, require_claim, terms
from sync.ports.lease import kept
from sync.store.accounts import accounts, passwords
from sync.store.audit import trail
from sync.store.database.transactions import Tx
from sync.store.drift import findings
from sync.store.provisioning import due, work_state
from sync.store.runs import run_rows, runs
from sync.store.runs.run_rows import RowOutcome, RunRow
from sync.store.runs.runs import Run
from sync.store.work import account_claims
from sync.store.work.account_claims import Claim

ADOPT = "adopt Keycloak user"


def adopt_reviewed(systems: Systems, keep: KeepLease, run: Run) -> bool:
    """Mark and link every match of a confirmed run; conflicts are left alone. False: workers are at some of the
    accounts, and the run has to come again. Raises Transient or Misconfigured where Keycloak itself fails."""
    with systems.db.read() as tx:
        rows = run_rows.pending(tx, run.id, None)
    left = 0
    for row in rows:
        keep()
        if row.verdict == "create":
            give_account_back(systems, keep, run, row)
        else:
            left += not _adopt(systems, run, row)
    with systems.db.write() as tx:
        runs.applying(tx, keep.claimed(tx), run.id, systems.clock.now())
    wake(systems, Lane.BULK)
    return not left


def _adopt(systems: Systems, run: Run, row: RunRow) -> bool:
    """The mark first: should we die before the link is stored, the next worker finds the mark."""
    with systems.db.write() as tx:
        claim = account_claims.claim_one(tx, str(row.account_id), terms(systems))
    if claim is None:
        return False
    user = row.original["id"]
    try:
        with systems.db.read() as tx:
            linked = _linked(tx, row)
        if not linked:
            names = row.original["username"], row.original["email"]
            with kept(partial(keep_lease, systems, claim)):
                systems.adoption.take(
                    user,
                    claim.account.id,
                    username=names[0],
                    email=names[1],
                    instead_of=row.original.get("mark"),
                )
        with systems.db.write() as tx:
            _link(tx, run, row, claim, systems.clock.now())
    except (Transient, Misconfigured):
        _give_back(systems, claim)
        raise
    except (Refused, Failure) as reason:
        _refuse(systems, run, row, claim, str(reason))
    return True


def _link(tx: Tx, run: Run, row: RunRow, claim: Claim, now: datetime) -> None:
    account_id, user = claim.account.id, row.original["id"]
    claimed = require_claim(tx, claim)
    _linked(tx, row)
    accounts.remember_idp_user_ids(tx, {claimed: user})
    passwords.erase_shown(tx, claimed)
    changed: dict[str, tuple[str | None, str | None]] = {"idp_user_id": (None, user)}
    trail.audit(tx, account_id=account_id, action=ADOPT, changed=changed, by=run.cause, now=now)
    findings.end_of_user(tx, claimed, user, Anomaly.LOST_ACCOUNT, now)
    due.mark_due(tx, account_id, Lane.BULK, now)
    run_rows.write_outcomes(tx, claimed, run.id, [RowOutcome(row.number, "applied", None, account_id)])
    account_claims.release(tx, claim)


def _refuse(systems: Systems, run: Run, row: RunRow, claim: Claim, reason: str) -> None:
    """What is refused carries no mark of ours, or the next look at the account would link it; a user whose account
    our database lost carries its own again, and keeps its groups."""
    left = ""
    try:
        with kept(partial(keep_lease, systems, claim)):
            if "mark" in row.original:
                _put_back(systems, claim.account.id, row)
            else:
                take_off(systems, claim, row.original["id"])
    except (Transient, Misconfigured):
        _give_back(systems, claim)
        raise
    except Failure as failure:
        left = f"; the user keeps our mark: {failure}"
    with systems.db.write() as tx:
        outcome = RowOutcome(row.number, "refused", f"{reason}{left}", claim.account.id)
        run_rows.write_outcomes(tx, require_claim(tx, claim), run.id, [outcome])
        account_claims.release(tx, claim)


def _put_back(systems: Systems, account_id: str, row: RunRow) -> None:
    """The mark with which the user was found, if it carries that of this account by now."""
    user = systems.accounts.observe(row.original["id"], sessions=False)
    if user is not None and user.account_id == account_id:
        systems.adoption.take(
            user.idp_user_id,
            row.original["mark"],
            username=user.username,
            email=user.email,
            instead_of=account_id,
        )


def _give_back(systems: Systems, claim: Claim) -> None:
    with systems.db.write() as tx:
        account_claims.release(tx, claim)


def _linked(tx: Tx, row: RunRow) -> bool:
    """Whether a worker has found our mark and linked the user already. Raises Refused if the account is not as
    reviewed; a user that a worker has made meanwhile changes no wanted version."""
    account_id = str(row.account_id)
    account, state = existing(tx, account_id), work_state.of_account(tx, account_id)
    if account.idp_user_id == row.original["id"]:
        return True
    if account.idp_user_id is not None:
        what = f"has Keycloak user {account.idp_user_id} by now"
        raise Refused([Problem("account", what, "plan the adoption anew")])
    if state is None or state.wanted_version != row.base_version:
        raise Refused([Problem("account", "was changed since the review", "plan the adoption anew")])
    mark = row.original.get("mark")
    if mark is not None and accounts.known_ids(tx, [mark]):
        raise Refused([Problem("user", f"has its account {mark} again", "plan the adoption anew")])
    return False
