"""Sending a mail again that failed, because a person says so, and noting that mails came back (F7, H3). Nothing is
sent again by itself: two mails with one password are worse than one that a person sends again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mappings.policy import Policy
from sync.commands.access import authority
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.accounts.account import Account, login_key
from sync.domain.errors import NotFound, Problem, Refused
from sync.store.accounts import accounts
from sync.store.audit import trail
from sync.store.database.transactions import Tx
from sync.store.mail import bounces, failed_mails
from sync.store.mail.failed_mails import FailedMail

SEE_REFUSED = "see fsm-identity ops mails refused"
LONGEST_REASON = 200
NEW_PASSWORD = "give a new password: fsm-identity account reset-password WHO --mail"  # noqa: S105 - no password


@dataclass(frozen=True, slots=True)
class Returned:
    """A mail came back for good, or the address is known to be gone. `at` None: just now. `reason` is what was
    said of it; it is kept and shown."""

    address: str
    reason: str
    at: datetime | None = None


def bounced(
    tx: Tx, policy: Policy | None, returned: Sequence[Returned], by: Cause, now: datetime
) -> tuple[Account, ...]:
    """Mails to these addresses came back. From now on no mail goes to an account that has one of them, until it
    has another address or `arrives_again`; the last mail that went there counts as failed.

    Returns the accounts of which that was news. An address that is nobody's, or known, changes nothing: the same
    news twice is one. Raises as `authority.allow`.
    """
    granted = authority.allow(tx, policy, by, Permission.REPORT_BOUNCE, now)
    by_key = {login_key(each.address): each for each in returned}
    holders = bounces.holders(tx, by_key)
    found = accounts.read_many(tx, frozenset(holders.values()))
    news = []
    for account in found.values():
        told = by_key.get(login_key(account.email))
        if told is None:
            continue
        reason = _one_line(told.reason)
        at = now if told.at is None else min(told.at, now)
        if bounces.note(tx, granted, account, reason, at):
            bounces.newest_came_back(tx, granted, account, reason, now)
            trail.audit(
                tx,
                account_id=account.id,
                action="mails come back",
                changed={"mails come back from": (None, account.email)},
                by=replace(by, reason=reason),
                now=now,
            )
            news.append(account)
    return tuple(news)


def arrives_again(
    tx: Tx, policy: Policy | None, addresses: Sequence[str], by: Cause, now: datetime
) -> tuple[Account, ...]:
    """Mails to these addresses arrive again, somebody says. Nothing is sent by that. Returns whose they are.
    Raises NotFound, and changes nothing, if mails to one of them do not come back."""
    granted = authority.allow(tx, policy, by, Permission.REPORT_BOUNCE, now)
    holders = bounces.holders(tx, addresses)
    found = accounts.read_many(tx, frozenset(holders.values()))
    changed = []
    for address in dict.fromkeys(map(login_key, addresses)):
        account = found.get(holders.get(address, ""))
        if (
            account is None
            or login_key(account.email) != address
            or not bounces.withdraw(tx, granted, account.id, now)
        ):
            raise NotFound([Problem("address", f"mails to {address} do not come back", SEE_REFUSED)])
        trail.audit(
            tx,
            account_id=account.id,
            action="mails arrive again",
            changed={"mails come back from": (account.email, None)},
            by=by,
            now=now,
        )
        changed.append(account)
    return tuple(changed)


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
                    f"cannot go to {each.username}: its password is no longer kept, the account is inactive, "
                    "mails to it come back, or a later mail was written",
                    NEW_PASSWORD,
                )
                for each in unsendable
            ]
        )
    return list(found.values())


def _told(tx: Tx, mail: FailedMail, by: Cause, now: datetime) -> None:
    trail.audit(
        tx,
        account_id=mail.account_id,
        action=f"send the {mail.kind} mail again",
        changed={"failure": (mail.error, None)},
        by=by,
        now=now,
    )


def _one_line(text: str) -> str:
    """What a mail server said, without what would disturb a screen or a log."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line[:LONGEST_REASON] or "no reason was told"
