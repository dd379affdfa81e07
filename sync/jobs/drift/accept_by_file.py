"""Accepting what `drift.toml` says: what somebody changed in Keycloak becomes what is wanted, all of one
comparison judged by the mass-change guard (E7, G4). Comparisons and the job that reads admin events call it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import structlog

from sync.commands.access import administrators, authority
from sync.commands.drift.take_over import take_over
from sync.commands.runs.guard import judge_run
from sync.desk import Desk
from sync.domain.access.callers import System
from sync.domain.access.cause import Cause, Origin
from sync.domain.access.permissions import Permission
from sync.domain.drift.touches import listed
from sync.domain.errors import Refused
from sync.domain.runs.guard import Hold, Impact
from sync.jobs.work.job import KeepLease
from sync.store import mappings
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.drift import findings as drift
from sync.store.drift import touches
from sync.store.drift.findings import Finding
from sync.store.provisioning import work_state

AT_ONCE = 50
"""Accounts whose findings are accepted in one transaction."""

ACCEPTED = "accepted from Keycloak"
"""One source to the mass-change guard, whether a comparison or a hint finds it."""

log = structlog.get_logger()


def accept_by_file(desk: Desk, found: Sequence[tuple[Finding, int]], keep: KeepLease) -> None:
    """Accept what drift.toml says, each finding given with the version of its account that was compared. If it is
    more than guard.toml lets pass, none is: they stay open with the reason, for a person. So does what our own
    rules refuse, and what has changed since the look is left to the next one.

    Raises Transient if other mapping files came into force, or the job is somebody else's by now.
    """
    by_account: dict[str, list[Finding]] = {}
    versions: dict[str, int] = {}
    for finding, version in found:
        account_id = str(finding.subject.account_id)
        by_account.setdefault(account_id, []).append(finding)
        versions[account_id] = version
    if not by_account or _held_back(desk, keep, by_account):
        return
    ids = sorted(by_account)
    for start in range(0, len(ids), AT_ONCE):
        keep()
        some = ids[start : start + AT_ONCE]
        with desk.db.write() as tx:
            keep.claimed(tx)
            mappings.refuse_outdated(tx, desk.policy_number)
            administrators.lock(tx, desk.policy, some)
            wanted = work_state.wanted_versions(tx, some)
            for account_id in some:
                if wanted.get(account_id) == versions[account_id]:
                    _accept(tx, desk, by_account[account_id])


def _held_back(desk: Desk, keep: KeepLease, by_account: Mapping[str, Collection[Finding]]) -> bool:
    impact = Impact({"changed": len(by_account)})
    policy, now = desk.policy, desk.clock.now()
    with desk.db.write() as tx:
        mappings.refuse_outdated(tx, desk.policy_number)
        accounts.lock_all(tx, by_account)
        verdict = judge_run(tx, policy, ACCEPTED, impact, now, door="repair")
        if not isinstance(verdict, Hold):
            return False
        why = _by_file(f"not accepted by itself: {'; '.join(verdict.reasons)}")
        drift.leave_open(
            tx, keep.claimed(tx), [each.id for found in by_account.values() for each in found], why, now
        )
    log.warning("drift is not accepted by itself", accounts=len(by_account), reason=why.reason)
    return True


def _accept(tx: Tx, desk: Desk, findings: Collection[Finding]) -> None:
    """The log gets no reason of a refusal: it names people and their addresses."""
    now = desk.clock.now()
    for finding in findings:
        if drift.get(tx, finding.id) != finding:
            continue
        changed = listed(touches.behind(tx, finding))
        whose = f" (changed there{changed})" if changed else ""
        by = _by_file(f"{finding.what} is accepted from Keycloak{whose}")
        granted = authority.allow(tx, desk.policy, by, Permission.DECIDE_DRIFT, now)
        try:
            with tx.part():
                take_over(tx, desk.policy, finding, by, now)
        except Refused:
            log.warning(
                "drift cannot be accepted",
                account=finding.subject.account_id,
                finding=finding.id,
                attribute=finding.what,
            )
            continue
        drift.decide(tx, granted, finding.id, "accepted", now)


def _by_file(reason: str) -> Cause:
    return Cause(System.DRIFT_FILE, None, reason, Origin.DRIFT)
