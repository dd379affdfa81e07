"""Sending what waits in the outbox: each mail once, after its account is in Keycloak (F7).

A mail that somebody may have sent already, because its worker died over it, is not sent again: nobody can tell,
and two mails with two credentials are worse than one that a person sends again (`resend_mails`).
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, tzinfo
from functools import partial
from zoneinfo import ZoneInfo

from mappings.policy import Policy
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.language import language_of
from sync.domain.errors import Failure, FailureCode, NeedsPerson
from sync.domain.work.claimed import ClaimedMail
from sync.domain.work.ladder import Work, after
from sync.jobs.systems import Systems
from sync.jobs.work.lease import keep_lease, terms
from sync.jobs.work.unforeseen import as_failure
from sync.ports.lease import kept
from sync.ports.signals import MayHaveLeft, Message
from sync.store import acts
from sync.store.accounts import passwords
from sync.store.accounts.passwords import KeptPassword
from sync.store.acts import SealedPassword
from sync.store.database.transactions import Tx
from sync.store.mail import bounces, outbox
from sync.store.mail.outbox import OF_ACTS, PASSWORD_RESET, MailClaim

CLAIM_AT_ONCE = 1
"""One at a time: a worker that dies leaves doubt about one mail, not about a batch."""


def send_some(systems: Systems) -> int:
    """Claim a due mail and send it. Returns how many were claimed."""
    with systems.db.write() as tx:
        claims = outbox.claim(tx, terms(systems), CLAIM_AT_ONCE)
    for claim in claims:
        try:
            with kept(partial(keep_lease, systems, claim)):
                systems.mailer.send(_composed(systems, claim))
        except Failure as failure:
            _not_sent(systems, claim, failure)
        else:
            with systems.db.write() as tx:
                claimed = outbox.finish(tx, claim, "sent", systems.clock.now())
                if claimed is not None:
                    erase_password(tx, claim, claimed)
    return len(claims)


def _composed(systems: Systems, claim: MailClaim) -> Message:
    """What nobody foresaw here is for a person too, who knows then that nothing has left. An error while sending
    is left to the lease: it may have."""
    try:
        return compose(systems, claim)
    except Exception as error:
        raise as_failure(error, account=claim.account.id) from None


def compose(systems: Systems, claim: MailClaim) -> Message:
    """The mail with the password, opened only here. Raises NeedsPerson or MayHaveLeft if it must not go."""
    if claim.taken_over:
        raise MayHaveLeft("a worker stopped while it was sending; whether the mail left is not known")
    letter = systems.reset_letter if claim.kind == PASSWORD_RESET else systems.welcome_letter
    with systems.db.read() as tx:
        bounced = bounces.of_account(tx, claim.account.id)
        kept = password_for(tx, claim, systems.clock.now())
    if bounced is not None:
        raise NeedsPerson(
            f"mails to {claim.recipient} come back since {bounced.at:%Y-%m-%d %H:%M} UTC: {bounced.reason}",
            code=FailureCode.ADDRESS_BOUNCED,
        )
    if kept is None:
        raise NeedsPerson("the temporary password has expired and is erased", code=FailureCode.PASSWORD_LAPSED)
    return letter(
        message_id=claim.message_id,
        to=claim.recipient,
        full_name=claim.account.full_name,
        username=claim.account.username,
        temporary_password=kept.password,
        expires_at=kept.expires_at,
        time_zone=local_time(claim.account, systems.policy),
        language=language_of(claim.account, systems.policy) or systems.policy.realm.first_language,
        company=systems.policy.realm.company,
        first_day=claim.account.valid_from if claim.account.life is Life.EXPECTED else None,
    )


def password_for(tx: Tx, claim: MailClaim, now: datetime) -> KeptPassword | SealedPassword | None:
    """The password the mail carries: that of the account's beginning, or that of one reset."""
    if claim.kind in OF_ACTS:
        return acts.password_of_mail(tx, claim.id)
    return passwords.kept(tx, claim.account.id, now)


def erase_password(tx: Tx, claim: MailClaim, claimed: ClaimedMail) -> None:
    """The mail has left: nobody needs it any more."""
    if claim.kind in OF_ACTS:
        acts.erase_password_of_mail(tx, claimed)
    else:
        passwords.erase(tx, claimed, claim.account.id)


def local_time(account: Account, policy: Policy) -> tzinfo:
    """The time zone of the account's branch; UTC without one, and for one this process does not know yet."""
    branch = policy.branches.get(account.branch) if account.branch is not None else None
    return UTC if branch is None else ZoneInfo(branch.time_zone)


def _not_sent(systems: Systems, claim: MailClaim, failure: Failure) -> None:
    now = systems.clock.now()
    then = after(failure, claim.attempts, Work.MAIL, random.random())  # noqa: S311 - jitter
    due = None if then.wait is None else now + then.wait
    with systems.db.write() as tx:
        outbox.finish(
            tx,
            claim,
            "retry" if due else "failed",
            now,
            due_at=due,
            error=str(failure),
            failure=failure.code,
            may_have_left=isinstance(failure, MayHaveLeft),
        )
