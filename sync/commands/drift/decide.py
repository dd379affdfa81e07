"""What a person decides about a finding: accept it, or have it repaired (G4). Each decision has a reason."""

from __future__ import annotations

from sync.commands.access import administrators, authority
from sync.commands.accounts import by_hand
from sync.commands.accounts.change import existing
from sync.commands.drift.take_over import TAKEN_OVER, take_over
from sync.commands.perform import perform
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.drift.anomaly import Anomaly, mended_by
from sync.domain.drift.impact import effects_of_repair
from sync.domain.drift.kinds import may_be_left
from sync.domain.errors import NotFound, Problem, Refused
from sync.domain.provisioning.aspect import Aspect, Deviation
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.drift import findings
from sync.store.drift.findings import Finding
from sync.store.provisioning import due


def accept(desk: Desk, finding_id: str, by: Cause) -> Finding:
    """What was found is wanted from now on, or left alone until it changes, by the workers too. Returns the
    finding with the decision. Raises Refused."""

    def decided(tx: Tx) -> Finding:
        finding, now = _open(tx, desk, finding_id), desk.clock.now()
        granted = authority.allow(tx, desk.policy, by, Permission.DECIDE_DRIFT, now)
        if finding.attribute in TAKEN_OVER:
            account_id = str(finding.subject.account_id)
            was = accounts.peek(tx, account_id)
            take_over(tx, desk.policy, finding, by, now)
            by_hand.count(tx, desk.policy, was, existing(tx, account_id), by, now)
        elif not may_be_left(finding.attribute):
            remedy = "have it repaired, change the account, or mend it in Keycloak's console"
            if isinstance(finding.attribute, Anomaly):
                remedy = mended_by(finding.attribute)
            reason = "cannot be accepted: the workers, or nobody at all, could leave it so"
            raise Refused([Problem(finding.attribute, reason, remedy)])
        if finding.attribute is Aspect.MISSING:
            due.lift_quarantine(tx, granted, str(finding.subject.account_id), Lane.BULK, now)
        return findings.decide(tx, granted, finding.id, "accepted", now)

    return perform(desk, decided, wakes=Lane.BULK)


def repair(desk: Desk, finding_id: str, by: Cause) -> Finding:
    """The workers look at the account now. A user that is missing they make anew, if Keycloak itself says then
    that it is gone. Raises Refused for what workers do not write to."""

    def decided(tx: Tx) -> Finding:
        finding, now = _open(tx, desk, finding_id), desk.clock.now()
        granted = authority.allow(tx, desk.policy, by, Permission.DECIDE_DRIFT, now)
        if isinstance(finding.attribute, Anomaly):
            reason = f"the workers do not write to {finding.subject.who}"
            raise Refused([Problem(finding.attribute, reason, mended_by(finding.attribute))])
        account_id = str(finding.subject.account_id)
        deviation = Deviation(finding.attribute, finding.wanted, finding.found, finding.key)
        by_hand.count_kinds(tx, desk.policy, effects_of_repair([deviation]), by, now)
        findings.ask_repair(tx, granted, [finding.id], now)
        if not due.lift_quarantine(tx, granted, account_id, Lane.INTERACTIVE, now):
            due.look_again(tx, account_id, Lane.INTERACTIVE, now)
        repairing = findings.decide(tx, granted, finding.id, "open", now)
        if finding.attribute is Aspect.MISSING:
            findings.let_make_anew(tx, granted, account_id, str(finding.subject.idp_user_id), now)
        return repairing

    return perform(desk, decided, wakes=Lane.INTERACTIVE)


def _open(tx: Tx, desk: Desk, finding_id: str) -> Finding:
    """Locked after its account (rule: account-before-finding)."""
    account_id = findings.account_of(tx, finding_id)
    if account_id is not None:
        administrators.lock(tx, desk.policy, [account_id])
    finding = findings.get(tx, finding_id)
    if finding is None:
        raise NotFound([Problem("finding", f"{finding_id} does not exist", "see fsm-identity drift list")])
    if finding.state not in findings.LIVE:
        raise Refused([Problem("finding", f"is {finding.state} already", "see fsm-identity drift list")])
    return finding
