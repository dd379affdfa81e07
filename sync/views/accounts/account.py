"""One account as doors show it: what is wanted, what Keycloak was last seen to hold, and how both came about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.status import AccountStatus, Observation, lock_at, status_of, told
from sync.domain.acts import Act
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.deactivation.request import OpenDeactivation
from sync.domain.logins.activity import LoginActivity, doubts
from sync.domain.logins.event_reading import Gap
from sync.store import acts, logins
from sync.store.accounts import accounts
from sync.store.audit import trail
from sync.store.audit.timeline import TimelineEntry, read_timeline
from sync.store.audit.trail import Assignment
from sync.store.database.transactions import Tx
from sync.store.deactivation import deactivations
from sync.store.mail import bounces
from sync.store.mail.bounces import Bounce
from sync.store.provisioning import observations, work_state
from sync.store.provisioning.work_state import WorkState
from sync.views.accounts.find import within


@dataclass(frozen=True, slots=True)
class AccountView:
    """Wanted and observed stand side by side and are never mixed (rule: wanted-is-not-observed).

    `lockout` says how long Keycloak keeps the person out and why, "" for not at all. `observed` is the last look,
    None before the first; `work` None only for an account no command has made due yet. `logins_may_be_missing` are
    the times of which nobody knows who logged in. `acts` wait to be carried out. `bounce`: mails to its address
    came back.
    """

    account: Account
    status: AccountStatus
    lockout: str
    work: WorkState | None
    observed: Observation | None
    logins: LoginActivity
    logins_may_be_missing: tuple[Gap, ...]
    deactivation: OpenDeactivation | None
    acts: tuple[Act, ...]
    bounce: Bounce | None
    assignments: tuple[Assignment, ...]
    timeline: tuple[TimelineEntry, ...]

    @property
    def held_work_orders(self) -> tuple[OpenWorkOrder, ...]:
        return self.work.held_work_orders if self.work is not None else ()


def account_view(tx: Tx, scope: Scope, account_id: str, now: datetime) -> AccountView:
    """Everything known of one account. Raises NotFound, for an account outside the scope too."""
    account = within(tx, scope, account_id)
    work = work_state.of_account(tx, account.id)
    observed = observations.last(tx, account.id)
    activity = logins.of_user(tx, account.idp_user_id)
    held = work.held_work_orders if work is not None else ()
    return AccountView(
        account=account,
        status=status_of(account, observed, now=now, held=held, activity=activity),
        lockout="" if observed is None else told(lock_at(observed.lock, now)),
        work=work,
        observed=observed,
        logins=activity,
        logins_may_be_missing=doubts(activity, account.created_at, logins.gaps(tx, account.created_at)),
        deactivation=deactivations.open_for(tx, account.id),
        acts=acts.open_for_many(tx, [account.id]).get(account.id, ()),
        bounce=bounces.of_account(tx, account.id),
        assignments=trail.assignments(tx, account.id),
        timeline=read_timeline(tx, account.id),
    )


def timeline_of(tx: Tx, scope: Scope, account_id: str) -> tuple[TimelineEntry, ...]:
    """Everything that happened to the account, in the order of time. Raises like `account_view`."""
    return read_timeline(tx, within(tx, scope, account_id).id)


def account_of_user(tx: Tx, subject: str) -> Account | None:
    """The account that has the user with this id in Keycloak, the subject of a token: one indexed row. None: there
    is none."""
    return accounts.by_idp_user_id(tx, subject)


def own_account(tx: Tx, subject: str) -> tuple[Account, tuple[Assignment, ...]] | None:
    """The account that has the user with this id in Keycloak, the subject of a token, and what it was given since
    when: for the person itself (I5). None: there is none."""
    account = account_of_user(tx, subject)
    return None if account is None else (account, trail.assignments(tx, account.id))


def assignment_of(history: Sequence[Assignment], value: Callable[[Assignment], object]) -> Assignment | None:
    """The assignment that gave the present value: the first of those at the end that all have it. `history` is the
    oldest first; None: there is none."""
    gave: Assignment | None = None
    for each in reversed(history):
        if gave is not None and value(each) != value(gave):
            break
        gave = each
    return gave
