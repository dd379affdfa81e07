"""Asking for one-shot acts on an account: the part of a door (C1-C3, C6, D6).

Each is `f(tx, …, by, now)`: SQL only, never commits, raises Refused before anything is written. In the same commit
stand the audit entry and the act itself, and the account is due; a worker carries it out, once (`carry_out`).
Who may ask is `authority`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mappings.policy import Policy
from sync.commands.access import authority
from sync.commands.accounts.change import existing
from sync.commands.accounts.initial_password import InitialPassword, generate
from sync.domain.access.callers import same
from sync.domain.access.cause import Cause
from sync.domain.access.granted import GrantedAccount
from sync.domain.access.permissions import Permission
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account, Life
from sync.domain.acts import Act, ActKind
from sync.domain.errors import NotAllowed, NotFound, Problem, Refused
from sync.domain.work.lane import Lane
from sync.store import acts, adoption
from sync.store.accounts import accounts as account_rows
from sync.store.accounts import listing, passwords
from sync.store.accounts.query import AccountQuery
from sync.store.audit import trail
from sync.store.database.ids import new_id
from sync.store.database.transactions import Tx
from sync.store.mail import bounces
from sync.store.provisioning import due

REPLACED = "replaced by a newer reset before a worker came to it"
AT_ONCE = 500
HANDED_OVER_WITHIN = timedelta(minutes=15)
"""After a reset is in place."""


def reset_password(
    tx: Tx,
    policy: Policy,
    account_id: str,
    password: InitialPassword,
    by: Cause,
    now: datetime,
    *,
    keep_sessions: bool = False,
) -> Act:
    """Give a new temporary password. Once it is in place it is mailed, or `take_password` hands it over; nobody
    has it before. It must be changed at the next login and is taken away when its time is up (C1). Sessions and
    offline tokens end with it unless they are kept.

    A reset that still waits is replaced: its password would be good for a moment.
    """
    account = _active(tx, account_id)
    if password.delivery == "mail":
        _refuse_bounced(tx, account)
    act = replace(
        _new(account, ActKind.RESET_PASSWORD, by, now),
        keep_sessions=keep_sessions,
        by_mail=password.delivery == "mail",
        expires_at=now + timedelta(hours=policy.realm.temporary_password_hours),
    )
    told = {"delivery": password.delivery, "sessions": "kept" if keep_sessions else "ended"}
    return _ask(tx, policy, act, told=told, password=password.password)


def give_first_password(tx: Tx, policy: Policy, account: Account, by: Cause, now: datetime) -> Act:
    """The temporary password of somebody who was stored long before the first day, with the welcome mail. It
    counts from now."""
    act = replace(
        _new(account, ActKind.RESET_PASSWORD, by, now),
        lane=Lane.BULK,
        by_mail=True,
        welcomes=True,
        expires_at=now + timedelta(hours=policy.realm.temporary_password_hours),
    )
    return _ask(tx, policy, act, told={"delivery": "welcome mail"}, password=generate())


def take_password(tx: Tx, policy: Policy, account_id: str, by: Cause, now: datetime) -> str:
    """The temporary password of the last reset or of a new account, once it is in place. With this it is gone
    from here (B1, C1, rule: secrets-go). Raises Refused while it is not in place, and where there is none."""
    account = existing(tx, account_id)
    permission = Permission(ActKind.RESET_PASSWORD.value)
    granted = authority.allow_account(tx, policy, by, permission, account, account, now)
    password = acts.take_password(tx, granted, now)
    if password is None and account.idp_user_id is not None:
        password = passwords.take_shown(tx, granted, now)
    if password is None:
        raise Refused([_none_to_show(tx, account)])
    trail.audit(tx, account_id=account_id, action="temporary password shown", changed={}, by=by, now=now)
    return password


def take_password_of(tx: Tx, policy: Policy, act_id: str, by: Cause, now: datetime) -> str:
    """`take_password` of this reset, for a door where more than one may ask: only whoever asked for the reset gets
    it, and only for a while after it is in place. Raises NotFound, NotAllowed, and Refused where there is none."""
    act = acts.get(tx, act_id)
    if act is None:
        raise NotFound([Problem("act", f"{act_id} does not exist", "ask for a reset")])
    account = existing(tx, act.account_id)
    permission = Permission(ActKind.RESET_PASSWORD.value)
    granted = authority.allow_account(tx, policy, by, permission, account, account, now)
    if act.kind is not ActKind.RESET_PASSWORD or act.by_mail:
        raise Refused([Problem("act", "has no password to show", "ask for a reset that is shown")])
    if not same(act.by.caller, by.caller):
        raise NotAllowed([Problem("act", "was asked for by somebody else", "ask for a reset of your own")])
    resets = [each for each in acts.of_account(tx, account.id) if each.kind is ActKind.RESET_PASSWORD]
    act = next(each for each in resets if each.id == act_id)
    if act.is_open:
        raise Refused([_not_yet(account, act.outcome or "no worker has come to it")])
    in_time = act.finished_at is not None and now < act.finished_at + HANDED_OVER_WITHIN
    password = acts.take_password(tx, granted, now) if in_time and resets[-1].id == act_id else None
    if password is None:
        gone = f"of {account.username} is gone: it was shown, replaced or refused, or its time was up"
        raise Refused([Problem("password", gone, "ask for another reset")])
    trail.audit(tx, account_id=account.id, action="temporary password shown", changed={}, by=by, now=now)
    return password


def _none_to_show(tx: Tx, account: Account) -> Problem:
    waiting = acts.open_for_many(tx, [account.id]).get(account.id, ())
    for act in waiting:
        if act.kind is ActKind.RESET_PASSWORD and not act.by_mail:
            return _not_yet(account, act.outcome or "no worker has come to it")
    if account.idp_user_id is None:
        return _not_yet(account, "Keycloak has no user for it")
    gone = f"{account.username} has none to show: it was shown, replaced or refused, or its time was up"
    return Problem("password", gone, "fsm-identity account show says which; give another: account reset-password")


def _not_yet(account: Account, why: str) -> Problem:
    return Problem("password", f"of {account.username} is not in place yet: {why}", "ask again in a moment")


def send_password_mail(tx: Tx, policy: Policy, account_id: str, by: Cause, now: datetime) -> Act:
    """Let Keycloak mail a link by which the person sets a password (C1)."""
    account = _active(tx, account_id)
    _refuse_bounced(tx, account)
    return _ask(tx, policy, _new(account, ActKind.SET_PASSWORD_MAIL, by, now))


def _refuse_bounced(tx: Tx, account: Account) -> None:
    """A mail to it would come back too, and the old password would be gone (F7)."""
    bounce = bounces.of_account(tx, account.id)
    if bounce is not None:
        raise Refused(
            [
                Problem(
                    "email",
                    f"mails to {account.email} come back since {bounce.at:%Y-%m-%d %H:%M} UTC: {bounce.reason}",
                    "account change WHO --email …, or leave out --mail; where they arrive again: ops mails "
                    "bounced ADDRESS --withdraw",
                )
            ]
        )


def require_password_change(tx: Tx, policy: Policy, account_id: str, by: Cause, now: datetime) -> Act:
    """The person has to choose another password at the next login (C2)."""
    return _ask(tx, policy, _new(_active(tx, account_id), ActKind.REQUIRE_PASSWORD_CHANGE, by, now))


def require_password_changes(tx: Tx, policy: Policy, accounts: Sequence[Account], by: Cause, now: datetime) -> int:
    """The same for many (C2), in the bulk lane: `active_accounts` returns them. Returns how many."""
    authority.require_reason(by)
    together = new_id(now)
    for start in range(0, len(accounts), AT_ONCE):
        some = accounts[start : start + AT_ONCE]
        asked = [replace(_new(each, ActKind.REQUIRE_PASSWORD_CHANGE, by, now), lane=Lane.BULK) for each in some]
        locked = account_rows.read_many(tx, [each.account_id for each in asked])
        acts.add_many(tx, [(_granted(tx, policy, locked[each.account_id], each), each) for each in asked])
        trail.audit_all(
            tx,
            [(each.account_id, {}) for each in asked],
            action=str(ActKind.REQUIRE_PASSWORD_CHANGE),
            by=by,
            now=now,
            correlation_id=together,
        )
        due.look_again_many(tx, [each.account_id for each in asked], Lane.BULK, now)
    return len(accounts)


def active_accounts(tx: Tx, scope: Scope, query: AccountQuery) -> tuple[Account, ...]:
    """Whom an act on many concerns: the accounts of the filter that are wanted active, whatever its page."""
    return tuple(_active_of(tx, scope, replace(query, life=Life.ACTIVE, after=None, limit=AT_ONCE)))


def _active_of(tx: Tx, scope: Scope, query: AccountQuery) -> Iterator[Account]:
    while True:
        page = listing.list_accounts(tx, scope, query)
        yield from (row.account for row in page.items)
        if page.next is None:
            return
        query = replace(query, after=page.next)


def unlock(tx: Tx, policy: Policy, account_id: str, by: Cause, now: datetime) -> Act:
    """End a temporary or permanent lockout; the outcome says which it was (C3)."""
    return _ask(tx, policy, _new(existing(tx, account_id), ActKind.UNLOCK, by, now))


def end_sessions(tx: Tx, policy: Policy, account_id: str, by: Cause, now: datetime) -> Act:
    """End every session and revoke every offline token (D6). Access tokens live on for their minutes."""
    return _ask(tx, policy, _new(existing(tx, account_id), ActKind.END_SESSIONS, by, now))


def reset_second_factor(
    tx: Tx,
    policy: Policy,
    account_id: str,
    identity_check: str,
    by: Cause,
    now: datetime,
    *,
    keep_sessions: bool = False,
) -> Act:
    """Take every second factor away, and keep how it was checked who asks (C6). The realm's login makes the person
    set one up again where the profile demands it. The sessions of the lost phone end unless they are kept."""
    check = identity_check.strip()
    if not check:
        remedy = "say how you made sure who is asking, then ask again"
        raise Refused([Problem("identity check", "is missing", remedy)])
    act = replace(
        _new(existing(tx, account_id), ActKind.RESET_SECOND_FACTOR, by, now),
        identity_check=check,
        keep_sessions=keep_sessions,
    )
    return _ask(tx, policy, act, told={"identity check": check, "sessions": "kept" if keep_sessions else "ended"})


def release_user(tx: Tx, policy: Policy, account_id: str, by: Cause, now: datetime) -> Act:
    """The wrong user was adopted: let go of it, and forget the link (G4). The account then gets a user of its own,
    with a new password by mail if it is active. Raises Refused for any user but the one that was adopted."""
    account = existing(tx, account_id)
    user = account.idp_user_id
    if user is None or not adoption.was_adopted(tx, account_id, user):
        what = f"{account.username} was not adopted" if user is None else f"Keycloak user {user} was not adopted"
        raise Refused([Problem("account", what, "nothing is to be released")])
    act = replace(_new(account, ActKind.RELEASE_USER, by, now), idp_user_id=user)
    return _ask(tx, policy, act, told={"idp_user_id": user})


def _active(tx: Tx, account_id: str) -> Account:
    account = existing(tx, account_id)
    if account.life is Life.EXPECTED:
        reason = f"{account.username} begins on {account.valid_from}, and the welcome mail brings the password"
        raise Refused([Problem("", reason, "for an earlier first day: account change --valid-from")])
    if account.life is not Life.ACTIVE:
        raise Refused([Problem("", f"{account.username} is inactive and cannot log in", "reactivate it first")])
    return account


def _new(account: Account, kind: ActKind, by: Cause, now: datetime) -> Act:
    return Act(id=new_id(now), account_id=account.id, kind=kind, requested_at=now, by=by, due_at=now)


def _granted(tx: Tx, policy: Policy, account: Account, act: Act) -> GrantedAccount:
    """An act changes nothing that is wanted of the account: it is judged as it is."""
    permission = Permission(act.kind.value)
    return authority.allow_account(tx, policy, act.by, permission, account, account, act.requested_at)


def _ask(
    tx: Tx, policy: Policy, act: Act, *, told: Mapping[str, str] | None = None, password: str | None = None
) -> Act:
    now = act.requested_at
    granted = _granted(tx, policy, existing(tx, act.account_id), act)
    if act.kind is ActKind.RESET_PASSWORD:
        acts.supersede(tx, granted, act.kind, REPLACED, now)
    acts.add(tx, granted, act, password)
    trail.audit(
        tx,
        account_id=act.account_id,
        action=str(act.kind),
        changed={name: (None, value) for name, value in (told or {}).items()},
        by=act.by,
        now=now,
        correlation_id=act.id,
    )
    due.look_again(tx, act.account_id, act.lane, now)
    return act
