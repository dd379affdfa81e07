"""Commands that say what is wanted of an account: create and change; a change that takes the technician from
somebody comes with a wish how the work-order gate shall treat it (`withdrawal`).

Each is `f(tx, policy, …, by, now)`: SQL only, never commits, raises Refused before anything is written. They
say what is wanted and nothing about Keycloak; the workers carry it there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mappings.policy import Policy
from sync.commands.access import administrators, authority
from sync.commands.accounts import by_hand
from sync.commands.accounts.initial_password import InitialPassword
from sync.commands.accounts.technician_record import require_technician
from sync.commands.accounts.withdrawal import ask_gate, open_work, withdraws_technician
from sync.commands.perform import perform
from sync.desk import Desk
from sync.domain.access.callers import System
from sync.domain.access.cause import Cause
from sync.domain.access.granted import GrantedAccount
from sync.domain.access.permissions import Permission
from sync.domain.access.scope import EVERYTHING, Scope
from sync.domain.accounts.account import Account, Life, login_key
from sync.domain.accounts.change import GRANTS, UNSET, AccountChange, NewAccount, changed_fields, stated_fields
from sync.domain.accounts.rules import check, unknown_attributes
from sync.domain.dates import date_problems, is_welcomed_later, life_of
from sync.domain.deactivation.gate import GatePolicy, OpenWorkOrder, WorkOrdersOpen
from sync.domain.drift.anomaly import GIVE_ACCOUNT_BACK, Anomaly
from sync.domain.errors import OF_THE_COMPANY, SIMILAR, NotFound, Outdated, Problem, Refused
from sync.domain.wording import counted
from sync.domain.work.lane import Lane
from sync.store import dates, schedule
from sync.store.accounts import accounts, passwords
from sync.store.accounts.passwords import KeptPassword
from sync.store.audit import trail
from sync.store.database.ids import new_id
from sync.store.database.transactions import Tx
from sync.store.deactivation import deactivations
from sync.store.drift import findings
from sync.store.mail import bounces, outbox
from sync.store.provisioning import due, work_state


def create(
    tx: Tx,
    policy: Policy,
    new: NewAccount,
    by: Cause,
    now: datetime,
    *,
    password: InitialPassword | None = None,
    lane: Lane = Lane.INTERACTIVE,
) -> Account:
    """Store a new account and make it due (B1). Raises Refused with every problem found (A2, A3, A5)."""
    (account,) = create_all(tx, policy, [(new, password)], by, now, lane=lane)
    return account


def create_all(
    tx: Tx,
    policy: Policy,
    joiners: Sequence[tuple[NewAccount, InitialPassword | None]],
    by: Cause,
    now: datetime,
    *,
    lane: Lane,
) -> tuple[Account, ...]:
    """`create` for many, with few statements however many they are. Raises Refused with the problems of the first
    that cannot be stored; then none is."""
    new = [joiner.account(new_id(now), now) for joiner, _ in joiners]
    new = [replace(account, life=life_of(account, policy, now)) for account in new]
    for account, (_, password) in zip(new, joiners, strict=True):
        refuse_problems(account, policy, account.attributes, now=now)
        _refuse_shown_too_early(account, password, policy, now)
    granted = [authority.allow_account(tx, policy, by, Permission.CREATE, None, each, now) for each in new]
    accounts.insert_all(tx, granted)
    expires = now + timedelta(hours=policy.realm.temporary_password_hours)
    welcomed = [
        (account, password) for account, (_, password) in zip(new, joiners, strict=True) if password is not None
    ]
    with_password = [each for each in welcomed if not is_welcomed_later(each[0], policy, now)]
    dates.welcome_later(tx, [each.id for each, _ in welcomed if is_welcomed_later(each, policy, now)])
    passwords.keep_all(
        tx,
        {
            account.id: KeptPassword(password.password, password.delivery, expires)
            for account, password in with_password
        },
    )
    mailed = {account.id: account.email for account, password in with_password if password.delivery == "mail"}
    outbox.enqueue_all(tx, mailed, kind="welcome", expires_at=expires, now=now)
    _write_down_new(tx, new, by, now)
    due.mark_new_due(tx, [account.id for account in new], lane, now)
    return tuple(new)


def _refuse_shown_too_early(
    account: Account, password: InitialPassword | None, policy: Policy, now: datetime
) -> None:
    """Nobody keeps a password for weeks, in a drawer or here."""
    if password is None or password.delivery == "mail" or not is_welcomed_later(account, policy, now):
        return
    days = counted(policy.realm.welcome_days_before, "day")
    reason = f"{account.valid_from} is too far away for a password that is shown now"
    raise Refused([Problem("valid_from", reason, f"have it mailed (--mail), which is done {days} before")])


def create_again(tx: Tx, policy: Policy, account: Account, by: Cause, now: datetime) -> None:
    """Store an account that our database lost, under the id that its user in Keycloak carries, and make it due.
    The person has a password there already. Raises Refused with every problem found, or if it is there again."""
    if accounts.peek(tx, account.id) is not None:
        raise Refused([Problem("account", f"{account.id} exists again", "nothing is left to do")])
    refuse_problems(account, policy, account.attributes, now=now)
    granted = authority.allow_account(tx, policy, by, Permission.CREATE, None, account, now)
    accounts.insert(tx, granted)
    _write_down_new(tx, [account], by, now, action="create again")
    due.mark_new_due(tx, [account.id], Lane.BULK, now)


def change(
    tx: Tx,
    policy: Policy,
    account_id: str,
    wanted: AccountChange,
    by: Cause,
    now: datetime,
    *,
    lane: Lane = Lane.INTERACTIVE,
    gate: GatePolicy = GatePolicy.HOLD,
    version: int | None = None,
) -> Account:
    """Change what is mentioned and make the account due. A change that changes nothing writes nothing, unless it
    is a stronger wish about one that the gate holds. `version` is the wanted one that was looked at, None: nobody
    says. Raises Outdated if it is another one by now."""
    may_take_rights = wanted.profile is not UNSET or wanted.data_access is not UNSET
    locked = administrators.lock(tx, policy, [account_id]) if may_take_rights else frozenset[str]()
    before = existing(tx, account_id, version)
    after = wanted.applied_to(before)
    granted = authority.allow_account(tx, policy, by, Permission.CHANGE, before, after, now)
    if after == before:
        if ask_gate(tx, policy, granted, gate, now):
            write_down(tx, before, after, f"change ({gate.value})", by, now)
            due.mark_due(tx, account_id, lane, now)
        return before
    refuse_problems(after, policy, wanted.attributes, now=now, before=before)
    administrators.keep_one(tx, policy, before, after, locked)
    accounts.update(tx, granted)
    ask_gate(tx, policy, granted, gate, now)
    if after.email != before.email:
        outbox.readdress(tx, account_id, after.email)
        bounces.follow(tx, granted)
    _dates_changed(tx, policy, granted, now)
    write_down(tx, before, after, "change", by, now)
    due.mark_due(tx, account_id, lane, now)
    return after


def _dates_changed(tx: Tx, policy: Policy, granted: GrantedAccount, now: datetime) -> None:
    """What is today's takes effect at once. A first day that is put off after the welcome mail went brings another
    mail, for the password of the first would have lapsed."""
    before, after = granted.before, granted.after
    if before is None or all(getattr(before, each) == getattr(after, each) for each in _OF_DATES):
        return
    schedule.hasten(tx, schedule.DATES, now, timedelta())
    if after.life is Life.EXPECTED and is_welcomed_later(after, policy, now) and outbox.was_welcomed(tx, after.id):
        dates.welcome_again(tx, granted)


_OF_DATES = ("valid_from", "valid_until", "branch")
"""What the instants of an account follow from."""


def drop_retired(
    tx: Tx, policy: Policy, account_id: str, by: Cause, now: datetime
) -> Mapping[str, tuple[object, object]]:
    """Values of attributes that are no longer in attributes.toml go. Returns what they were, for the history that
    the caller writes; it makes the account due, too.

    The files want it, which are in force for everybody: nobody is asked whether whoever adopted them may change
    this account."""
    by = replace(by, caller=System.MAPPING_FILES)
    before = existing(tx, account_id)
    kept = {key: text for key, text in before.attributes.items() if key in policy.attributes}
    after = replace(before, attributes=kept)
    if after != before:
        accounts.update(tx, authority.allow_account(tx, policy, by, Permission.CHANGE, before, after, now))
    return changed_fields(before, after)


def existing(tx: Tx, account_id: str, version: int | None = None) -> Account:
    """In a write transaction it is locked, and so is what `version` is compared with. Raises NotFound, or Outdated
    if another version is wanted than this one."""
    account = accounts.get(tx, account_id)
    if account is None:
        raise NotFound([Problem("account", f"{account_id} does not exist", "see account list")])
    if version is not None and version != work_state.wanted_versions(tx, [account_id]).get(account_id):
        raise Outdated([Problem("", f"{account.username} was changed since", "look at it again")])
    return account


def refuse_problems(
    account: Account,
    policy: Policy,
    given: Mapping[str, str | None] | None = None,
    *,
    now: datetime,
    before: Account | None = None,
) -> None:
    """`given`: the company's own attributes that the door names. `before`: as it is stored; None: it is new."""
    problems = _problems(account, policy, given or {}, before, now)
    if problems:
        raise Refused(problems)


def _problems(
    account: Account, policy: Policy, given: Mapping[str, str | None], before: Account | None, now: datetime
) -> tuple[Problem, ...]:
    return (
        *check(account, policy, before),
        *date_problems(before, account, policy, now),
        *unknown_attributes(given, policy),
    )


def write_down(tx: Tx, before: Account, after: Account, action: str, by: Cause, now: datetime) -> None:
    """The audit entry, and the history of what grants access (A7)."""
    changed = changed_fields(before, after)
    trail.audit(tx, account_id=after.id, action=action, changed=changed, by=by, now=now)
    if GRANTS & changed.keys():
        trail.record_assignments(tx, [after], by, now)


def _write_down_new(tx: Tx, accounts: Sequence[Account], by: Cause, now: datetime, action: str = "create") -> None:
    trail.audit_all(
        tx,
        [
            (
                account.id,
                {name: (None, value) for name, value in stated_fields(account).items() if value is not None},
            )
            for account in accounts
        ],
        action=action,
        by=by,
        now=now,
    )
    trail.record_assignments(tx, accounts, by, now)


def create_account(
    desk: Desk,
    new: NewAccount,
    by: Cause,
    password: InitialPassword,
    *,
    even_if_similar: bool,
    also: Sequence[Problem] = (),
    sees: Scope = EVERYTHING,
) -> Account:
    """Store the account and wake the workers.

    Raises Refused with every problem: of the account itself, what only the FSM system or the other accounts know,
    what the door found (`also`). Then, where it may be a second one of the same person and nobody says that it is
    not (A2): another account, or a user in Keycloak whose account our database lost. Of what lies outside what
    the caller `sees` nothing is told, and only who sees it can say that it is another person. Raises Transient if
    a technician is named and the FSM system cannot be asked. Nothing is stored then.
    """
    unknown = () if new.technician_id is None else _unknown(desk, new.technician_id)
    _refuse_at_once(desk, by, None, new.account("", desk.clock.now()), new.attributes, (*unknown, *also))

    def command(tx: Tx) -> Account:
        account = create(tx, desk.policy, new, by, desk.clock.now(), password=password)
        by_hand.count(tx, desk.policy, None, account, by, desk.clock.now())
        if even_if_similar and sees.everything:
            return account
        _refuse_lost(tx, account, sees)
        similar = accounts.likely_duplicates(tx, account)
        if not all(map(sees.holds, similar)):
            raise Refused([_FOR_THE_COMPANY])
        if similar and not even_if_similar:
            names = ", ".join(f"{each.username} ({each.full_name})" for each in similar)
            raise Refused(
                [Problem("", f"this may be the same person as {names}", "if not, add --even-if-similar", SIMILAR)]
            )
        return account

    return perform(desk, command, wakes=Lane.INTERACTIVE)


_FOR_THE_COMPANY = Problem(
    "",
    "this account is for an administrator of the whole company to make",
    "ask one of them to make it",
    OF_THE_COMPANY,
)


def _refuse_lost(tx: Tx, account: Account, sees: Scope) -> None:
    """Raises Refused if a user of this name is known to have lost its account. Nobody knows of which branch that
    was."""
    lost = findings.users_with(tx, Anomaly.LOST_ACCOUNT).values()
    held = sorted({login_key(name) for name in lost} & {login_key(account.username), login_key(account.email)})
    if held and not sees.everything:
        raise Refused([_FOR_THE_COMPANY])
    if held:
        what = (
            f"{held[0]!r} is a user in Keycloak whose account our database lost, as after a restore from a backup"
        )
        nevertheless = "to create it by hand and give it that user later, add --even-if-similar"
        raise Refused([Problem("username", what, f"{GIVE_ACCOUNT_BACK}; {nevertheless}", SIMILAR)])


@dataclass(frozen=True, slots=True)
class Changed:
    """`account` as it is wanted now; `stored` False: it was wanted so already. `work_orders` were open when the
    technician was taken away: they hold the change, or are left behind."""

    account: Account
    stored: bool
    work_orders: tuple[OpenWorkOrder, ...] = ()


def change_account(
    desk: Desk,
    account_id: str,
    wanted: AccountChange,
    by: Cause,
    gate: GatePolicy = GatePolicy.REFUSE,
    also: Sequence[Problem] = (),
    *,
    version: int | None = None,
) -> Changed:
    """Store the change and wake the workers. `gate` is for one that takes the technician away (D4), `version` as
    in `change`.

    Raises Refused with every problem, those that the door found (`also`) among them, WorkOrdersOpen under the
    policy refuse, Outdated before any of them, or Transient; nothing is stored then.
    """
    with desk.db.read() as tx:
        before = existing(tx, account_id, version)
        request = deactivations.open_for(tx, account_id)
    after = wanted.applied_to(before)
    _refuse_at_once(desk, by, before, after, wanted.attributes, also)
    withdraws = withdraws_technician(before, after, desk.policy)
    work_orders = open_work(desk, before, request) if withdraws else ()
    if work_orders and gate is GatePolicy.REFUSE:
        raise WorkOrdersOpen(before.full_name, work_orders)

    def command(tx: Tx) -> Changed:
        now, was = desk.clock.now(), accounts.peek(tx, account_id)
        wanted_before = work_state.wanted_versions(tx, [account_id])
        account = change(tx, desk.policy, account_id, wanted, by, now, gate=gate, version=version)
        stored = work_state.wanted_versions(tx, [account_id]) != wanted_before
        by_hand.count(tx, desk.policy, was, account, by, now)
        return Changed(account, stored, work_orders)

    return perform(desk, command, wakes=Lane.INTERACTIVE)


def _unknown(desk: Desk, technician_id: str) -> tuple[Problem, ...]:
    try:
        require_technician(desk, technician_id)
    except NotFound as refused:
        return refused.problems
    return ()


def _refuse_at_once(
    desk: Desk,
    by: Cause,
    before: Account | None,
    after: Account,
    given: Mapping[str, str | None],
    also: Sequence[Problem],
) -> None:
    """What the command would say one after the other. Whoever may not do it at all is told that alone, by the
    command: who has which name is not for everybody."""
    if after == before and not also:
        return
    now = desk.clock.now()
    with desk.db.read() as tx:
        if authority.judge_of(tx, desk.policy, by, now)(before, after) is not None:
            return
        found = (*_problems(after, desk.policy, given, before, now), *accounts.taken(tx, after))
        known = {each.field for each in also}
        problems = (*(each for each in found if each.field not in known), *also)
    if problems:
        raise Refused(problems)
