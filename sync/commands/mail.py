"""Sending a mail again that failed, because a person says so (F7, H3). Never by itself: two mails with one
password are worse than one that a person sends again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mappings.policy import Policy
from sync.commands.access import authority
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.errors import NotFound, Problem, Refused
from sync.store import audit
from sync.store.database.transactions import Tx
from sync.store.mail import failed_mails
from sync.store.mail.failed_mails import FailedMail

NEW_PASSWORD = "give a new password: fsm-identity account reset-password WHO --mail"  # noqa: S105 - no password


def send_again(
    tx: Tx,
    policy: Policy | None,
    by: Cause,
    now: datetime,
    endings: Sequence[str] | None,
    *,
    even_if_it_left: bool = False,
) -> int:
    """The mails whose ids end like these; None: all that certainly did not leave. They go to the address that the
    account has now. Returns how many. The caller wakes the lane `mail`.

    One that may have left goes only if it is named alone, with `even_if_it_left`. Raises NotFound and Refused, and
    then none goes.
    """
    granted = authority.allow(tx, policy, by, Permission.SEND_MAIL_AGAIN, now)
    chosen = failed_mails.certainly_unsent(tx, now) if endings is None else _named(tx, endings, now)
    doubtful = [each for each in chosen if each.may_have_left]
    if doubtful and not (even_if_it_left and len(chosen) == 1):
        raise Refused(
            [
                Problem(
                    f"mail {each.id[-8:]}",
                    f"may have reached {each.username} already",
                    "ask; then name it alone, with --even-if-it-left",
                )
                for each in doubtful
            ]
        )
    for each in chosen:
        if failed_mails.send_again(tx, granted, each.id, now):
            _told(tx, each, by, now)
    return len(chosen)


def _named(tx: Tx, endings: Sequence[str], now: datetime) -> list[FailedMail]:
    found: dict[str, FailedMail] = {}
    for ending in endings:
        those = failed_mails.ending_in(tx, ending.strip(), now) if ending.strip() else ()
        if not those:
            raise NotFound([Problem("mail", f"none that failed ends in {ending!r}", "see fsm-identity ops mails")])
        if len(those) > 1:
            raise Refused([Problem("mail", f"{len(those)} mails end in {ending!r}", "write more of it")])
        [found[those[0].id]] = those
    unsendable = [each for each in found.values() if not each.sendable]
    if unsendable:
        raise Refused(
            [
                Problem(
                    f"mail {each.id[-8:]}",
                    f"cannot go to {each.username}: its password is no longer kept, the account is inactive, or a "
                    "later mail was written",
                    NEW_PASSWORD,
                )
                for each in unsendable
            ]
        )
    return list(found.values())


def _told(tx: Tx, mail: FailedMail, by: Cause, now: datetime) -> None:
    audit.audit(
        tx,
        account_id=mail.account_id,
        action=f"send the {mail.kind} mail again",
        changed={"failure": (mail.error, None)},
        by=by,
        now=now,
    )
