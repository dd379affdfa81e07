"""What people decided about how an account is in Keycloak: that something is left as it is, or that a user that is
gone is made anew (G4). `provision` reads it with the claim and asks at each look; a decision about what is not so
any more ends here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sync.commands.accounts.initial_password import mail_new
from sync.domain.access.cause import Cause, Origin
from sync.domain.errors import Transient
from sync.domain.provisioning.aspect import Aspect, Deviation
from sync.jobs.systems import Systems
from sync.jobs.work.lease import require_claim
from sync.store.accounts import accounts
from sync.store.audit import trail
from sync.store.database.transactions import Tx
from sync.store.drift import findings
from sync.store.drift.findings import Finding
from sync.store.work import account_claims
from sync.store.work.account_claims import Claim


def decided_about(tx: Tx, claims: Sequence[Claim]) -> Mapping[str, tuple[Finding, ...]]:
    """By account id; nothing for most."""
    return findings.decided(tx, [claim.account.id for claim in claims if claim.account.idp_user_id is not None])


def left_alone(
    systems: Systems, claim: Claim, deviations: Sequence[Deviation], decisions: Sequence[Finding]
) -> frozenset[Aspect]:
    """What of these deviations somebody accepted, as long as it is as it was then."""
    own = [each for each in decisions if isinstance(each.attribute, Aspect)]
    over = [each for each in own if not _still(each, deviations)]
    if over:
        made = [each.id for each in over if each.anew_at and each.subject.idp_user_id != claim.account.idp_user_id]
        with systems.db.write() as tx:
            accounts.lock_all(tx, [claim.account.id])
            claimed = require_claim(tx, claim)
            findings.end(tx, claimed, made, "repaired", systems.clock.now())
            findings.end(
                tx, claimed, [each.id for each in over if each.id not in made], "gone", systems.clock.now()
            )
    accepted = [each.attribute for each in own if each.state == "accepted" and each not in over]
    return frozenset(each for each in accepted if isinstance(each, Aspect))


def _still(decision: Finding, deviations: Sequence[Deviation]) -> bool:
    """What is accepted is accepted as it was; who is to be made anew may have got another name meanwhile."""
    return any(
        (each.attribute, each.key) == (decision.attribute, decision.key)
        and (decision.state != "accepted" or (each.wanted, each.found) == (decision.wanted, decision.found))
        for each in deviations
    )


def to_make_anew(claim: Claim, decisions: Sequence[Finding]) -> Cause | None:
    """Who decided that the user, which Keycloak says is gone, is made anew, and why; None: nobody decided so."""
    for each in decisions:
        same_user = each.subject.idp_user_id == claim.account.idp_user_id
        if each.attribute is Aspect.MISSING and each.state == "open" and same_user:
            return each.decision
    return None


def forget_user(systems: Systems, claim: Claim, decision: Cause) -> None:
    """The account has no user any more and waits for a new one, with a temporary password that goes by mail as for
    a new account, and no second factor. The claim is given back with the account due, in one commit. Should the
    user be there again by then, creating finds it by its mark. In the history it is whoever decided so who did it.
    Raises Transient if the lease was lost."""
    account, now = claim.account, systems.clock.now()
    with systems.db.write() as tx:
        accounts.lock_all(tx, [account.id])
        claimed = require_claim(tx, claim)
        account_claims.release(tx, claim)
        if not accounts.forget_idp_user_id(tx, claimed, str(account.idp_user_id)):
            raise Transient("the account has another Keycloak user by now")
        mail_new(tx, systems.policy, accounts.read_many(tx, [account.id])[account.id], now)
        trail.audit(
            tx,
            account_id=account.id,
            action="make anew in Keycloak",
            changed={"idp_user_id": (account.idp_user_id, None)},
            by=replace(decision, origin=Origin.DRIFT),
            now=now,
        )
