"""Hands what a comparison found to the workers: the one place where drift becomes work (E7, G4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from mappings.policy import Policy
from sync.domain.account import Life
from sync.domain.account_change import Actor, Door
from sync.domain.drift import Attribute
from sync.domain.errors import Conflict
from sync.domain.lane import Lane
from sync.store import accounts, drift, history, mails, passwords, provisioning
from sync.store.database import Tx
from sync.store.drift import Finding
from sync.usecases.initial_password import generate

BY_FILE = Actor("drift.toml", Door.WORKER, "repaired by the file's word")


def hand_over(tx: Tx, policy: Policy, findings: Sequence[Finding], now: datetime) -> int:
    """Make the accounts due in the bulk lane; the workers' own look repairs them. Answers how many accounts."""
    due: set[str] = set()
    for finding in findings:
        account_id = finding.subject.account_id
        if account_id is None:
            continue
        if finding.attribute is Attribute.MISSING:
            recreate(tx, policy, finding, BY_FILE, now)
        elif account_id not in due:
            provisioning.look_again(tx, account_id, Lane.BULK, now)
        due.add(account_id)
    drift.ask_repair(tx, [finding.id for finding in findings if finding.subject.account_id in due], now)
    return len(due)


def recreate(tx: Tx, policy: Policy, finding: Finding, by: Actor, now: datetime) -> None:
    """The user was deleted in Keycloak and shall be made anew. Whoever calls has just heard from Keycloak itself
    that it is gone. The new user has a temporary password, mailed as for a new account, and no second factor.

    Raises Conflict if the account has another user by now.
    """
    account_id, user = str(finding.subject.account_id), str(finding.subject.idp_user_id)
    if not accounts.forget_idp_user_id(tx, account_id, user):
        raise Conflict(f"the account of {finding.subject.who} has another Keycloak user by now")
    account = accounts.read_many(tx, [account_id])[account_id]
    if account.life is Life.ACTIVE:
        expires = now + timedelta(hours=policy.realm.temporary_password_hours)
        passwords.keep(tx, account_id, generate(), "mail", expires)
        mails.enqueue(tx, account_id, kind="welcome", recipient=account.email, expires_at=expires, now=now)
    history.audit(
        tx,
        account_id=account_id,
        action="make anew in Keycloak",
        changed={"idp_user_id": (user, None)},
        by=by,
        now=now,
    )
    provisioning.mark_due(tx, account_id, Lane.BULK, now)
