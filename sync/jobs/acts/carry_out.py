"""Carrying one-shot acts out: each once, in order, under the account's lease, after the account itself is as
wanted.

A start is on disk before Keycloak is asked for anything; what a worker finds started it verifies instead of
repeating (`acts`). An act that fails waits for nobody: its reason is in the timeline, the account's own work
goes on, and so do the acts after it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import structlog

from mappings.policy import Policy
from sync.commands.access import authority
from sync.commands.accounts.change import existing
from sync.commands.accounts.initial_password import mail_new
from sync.commands.waking import wake
from sync.domain.access.permissions import Permission
from sync.domain.acts import (
    Act,
    ActKind,
    ActState,
    Found,
    comes_again_at,
    expiry_of,
    found_before,
    to_carry_out,
)
from sync.domain.errors import Failure, FailureCode, Misconfigured, NeedsPerson, Transient
from sync.domain.provisioning.observed import Observed
from sync.domain.provisioning.plan import refuse_foreign
from sync.domain.work.claimed import ClaimedAccount
from sync.domain.work.ladder import Step, Work, after
from sync.domain.work.lane import Lane
from sync.jobs.acts import doing
from sync.jobs.acts.doing import NEVER_TWICE, Done, Started
from sync.jobs.systems import Systems
from sync.jobs.work import circuits
from sync.jobs.work.lease import keep_lease, terms
from sync.jobs.work.recording import Applied, Failed, Outcome
from sync.jobs.work.unforeseen import as_failure
from sync.ports.lease import kept
from sync.store import acts
from sync.store.accounts import accounts, passwords
from sync.store.database.ids import new_id
from sync.store.database.transactions import Tx
from sync.store.mail import outbox
from sync.store.provisioning import due, observations
from sync.store.work import account_claims, lease_rows
from sync.store.work.account_claims import Claim

AT_ONCE = 20
"""Accounts in quarantine whose acts are taken in one go."""

OVERLOOKED_AT_ONCE = 1_000

SUPERSEDED = "replaced by a password reset"

log = structlog.get_logger()


def carry_out(systems: Systems, claim: Claim, outcome: Outcome) -> Outcome:
    """After the account was looked at and before that is recorded: carry out what waits for it.

    While Keycloak cannot be asked, or has no user yet but will have, everything waits. Where the account is not
    as wanted for another reason, the FSM system being away among them, what opens no way in goes all the same.
    Returns the outcome with what the acts changed of the user. Our database being away is no outcome: the
    lease runs out, and the next look verifies.
    """
    if not claim.acts or (isinstance(outcome, Failed) and _waits_with(claim, outcome.failure)):
        return outcome
    try:
        if isinstance(outcome, Failed):
            _run(systems, claim, _User(systems, claim, claim.account.idp_user_id), as_wanted=False)
            return outcome
        user = _User(systems, claim, outcome.idp_user_id, outcome.observed)
        _run(systems, claim, user, as_wanted=True)
    except Transient as failure:
        log.warning("acts not recorded; they are verified later", account=claim.account.id, reason=str(failure))
        return outcome
    if user.released:
        return replace(outcome, observed=None) if isinstance(outcome, Applied) else outcome
    return outcome if user.seen is None else replace(outcome, observed=user.seen)


def _waits_with(claim: Claim, failure: Failure) -> bool:
    """True if the acts wait for the same as the account, and come with its next look."""
    if isinstance(failure, Transient):
        return failure.system != "fsm"
    return isinstance(failure, Misconfigured) and claim.account.idp_user_id is None


def come_again(systems: Systems, claim: Claim) -> None:
    """After the look is recorded: an act that was put off makes its account due at its time. If the worker dies
    before, the sweep finds it."""
    if not claim.acts:
        return
    try:
        with systems.db.write() as tx:
            left = acts.open_for_many(tx, [claim.account.id]).get(claim.account.id, ())
            at = comes_again_at(left, systems.clock.now())
            if at is not None:
                due.look_again(tx, claim.account.id, claim.lane, at)
    except Transient as failure:
        log.warning("acts wait for the sweep", account=claim.account.id, reason=str(failure))


def carry_out_in_quarantine(systems: Systems) -> int:
    """What opens no way in is done on accounts in quarantine too; nothing else is done about them. Returns how
    many acts came to an end."""
    with systems.db.read() as tx:
        if not account_claims.any_quarantined(tx, systems.clock.now()):
            return 0
    with systems.db.write() as tx:
        claims, watch = circuits.claim(
            systems,
            tx,
            Lane.INTERACTIVE,
            lambda limit: account_claims.claim_quarantined(tx, terms(systems), limit),
            AT_ONCE,
        )
    ended = 0
    for claim in claims:
        user = _User(systems, claim, claim.account.idp_user_id)
        ended += _run(systems, claim, user, as_wanted=False) if watch.closed or watch.probe else 0
        if user.asked:
            watch.report(user.failure)
        else:
            watch.report_nothing()
        with systems.db.write() as tx:
            account_claims.release(tx, claim)
    return ended


def look_for_overlooked(tx: Tx, now: datetime) -> frozenset[Lane]:
    """For the sweep: make accounts due whose acts nobody would come to, and erase passwords whose time is up.
    Returns the lanes to wake for accounts in quarantine."""
    acts.erase_expired(tx, now)
    for account_id, lane in acts.overlooked(tx, now, OVERLOOKED_AT_ONCE).items():
        due.look_again(tx, account_id, lane, now)
    return frozenset({Lane.INTERACTIVE} if account_claims.any_quarantined(tx, now) else ())


@dataclass
class _User:
    """The user as far as it is known, looked at when an act first needs it."""

    systems: Systems
    claim: Claim
    idp_user_id: str | None
    seen: Observed | None = None
    failure: Failure | None = None
    """What stopped the last act, if something did."""
    asked: bool = False
    """Keycloak was asked for it."""
    released: bool = False
    """It is the account's no more: nothing else is done to it."""

    def look(self, act: Act) -> Observed:
        """Raises a Failure; also for a user that is not this account's or administers the realm. One that is let
        go of may carry no mark any more."""
        if act.idp_user_id is not None and act.idp_user_id != self.idp_user_id:
            raise NeedsPerson("the account has another Keycloak user by now", code=FailureCode.USER_NOT_OURS)
        if self.idp_user_id is None:
            raise NeedsPerson("the account has no Keycloak user", code=FailureCode.USER_MISSING)
        if self.seen is None:
            self.asked = True
            self.seen = self.systems.accounts.observe(self.idp_user_id, sessions=False)
        if self.seen is None:
            raise NeedsPerson(f"Keycloak user {self.idp_user_id} was deleted there", code=FailureCode.USER_DELETED)
        if act.kind is not ActKind.RELEASE_USER or self.seen.account_id is not None:
            refuse_foreign(self.claim.account.id, self.seen)
        return self.seen


def _run(systems: Systems, claim: Claim, user: _User, *, as_wanted: bool) -> int:
    """Carry out those that go now, until one has to come again or the lease is lost. Returns how many ended."""
    ended = 0
    for act in to_carry_out(claim.acts, as_wanted=as_wanted, now=systems.clock.now()):
        if not _one(systems, claim, act, user):
            break
        ended += 1
        if user.released:
            break
    return ended


def _one(systems: Systems, claim: Claim, act: Act, user: _User) -> bool:
    """True: it came to an end. False: the later ones of this account wait."""
    begun = None
    try:
        with kept(partial(keep_lease, systems, claim)):
            observed = user.look(act)
            credentials = doing.credentials_for(systems, act, observed)
            begun = _start(systems, claim, act, found_before(observed.known_lock, credentials))
            if begun is None:
                return False
            started = Started(
                begun.act,
                claim.account,
                observed,
                credentials,
                repeated=begun.repeated,
                password=begun.password,
            )
            done = doing.carry_out(systems, started)
    except Exception as error:
        user.failure = as_failure(error, act=act.id, kind=str(act.kind))
        return _failed(systems, claim, act, user.failure, begun)
    user.seen = done.observed
    ended = _done(systems, claim, begun, done)
    user.released = ended and act.kind is ActKind.RELEASE_USER
    return ended


@dataclass(frozen=True, slots=True)
class _Begun:
    """`repeated`: it was found started. `password` is the one a reset gives."""

    act: Act
    repeated: bool
    password: str | None = field(repr=False)


def _start(systems: Systems, claim: Claim, act: Act, found: Found) -> _Begun | None:
    """None: the lease was lost, or the act has ended meanwhile."""
    with systems.db.write() as tx:
        claimed = lease_rows.still_claimed(tx, claim.lease)
        if claimed is None:
            return None
        started = acts.start(tx, claimed, act.id, found, systems.clock.now())
        if started.state is not ActState.STARTED:
            return None
        kept = acts.password_of(tx, act.id)
    repeated = act.state is ActState.STARTED
    return _Begun(started, repeated, None if kept is None else kept.password)


def _done(systems: Systems, claim: Claim, begun: _Begun, done: Done) -> bool:
    now, act, mail_id = systems.clock.now(), begun.act, None
    with systems.db.write() as tx:
        claimed = lease_rows.still_claimed(tx, claim.lease)
        if claimed is None:
            return False
        if act.kind is ActKind.RESET_PASSWORD:
            mail_id = _after_reset(tx, claimed, act, now)
        if act.kind is ActKind.RELEASE_USER:
            _after_release(tx, systems.policy, claim, claimed, act, now)
        to_be_shown = act.kind is ActKind.RESET_PASSWORD and not act.by_mail
        acts.finish(
            tx, claimed, act.id, ActState.DONE, done.outcome, now, mail_id=mail_id, to_be_shown=to_be_shown
        )
    if mail_id is not None:
        wake(systems, Lane.MAIL)
    if act.kind is ActKind.RELEASE_USER:
        wake(systems, Lane.BULK)
    return True


def _after_release(tx: Tx, policy: Policy, claim: Claim, claimed: ClaimedAccount, act: Act, now: datetime) -> None:
    """The account gets a user of its own, with a new password; the link and what was seen of the other go."""
    accounts.forget_idp_user_id(tx, claimed, str(act.idp_user_id))
    observations.forget(tx, claimed)
    mail_new(tx, policy, claim.account, now)
    due.mark_due(tx, act.account_id, Lane.BULK, now)


def _after_reset(tx: Tx, claimed: ClaimedAccount, act: Act, now: datetime) -> str | None:
    """What a reset leaves behind: no older password waits for delivery, this one is mailed if that was asked, or
    waits for who asks for it, and it is taken away when its time is up. Returns the mail."""
    passwords.erase(tx, claimed, act.account_id)
    acts.erase_not_shown(tx, claimed)
    outbox.give_up(tx, act.account_id, SUPERSEDED, now)
    _expires(tx, act, now)
    account = accounts.get(tx, act.account_id)
    if not act.by_mail or account is None:
        return None
    mail_id = outbox.enqueue(
        tx,
        act.account_id,
        kind=outbox.FIRST_PASSWORD if act.welcomes else outbox.PASSWORD_RESET,
        recipient=account.email,
        expires_at=act.expires_at,
        now=now,
    )
    outbox.make_due(tx, [claimed], now)
    return mail_id


def _expires(tx: Tx, reset: Act, now: datetime) -> None:
    expiry, account = expiry_of(reset, new_id(now), now), existing(tx, reset.account_id)
    granted = authority.allow_account(tx, None, expiry.by, Permission.EXPIRE_PASSWORD, account, account, now)
    acts.add(tx, granted, expiry)


def _failed(systems: Systems, claim: Claim, act: Act, failure: Failure, begun: _Begun | None) -> bool:
    """Again later if that may help, or where a wrong setting keeps us from Keycloak at all; anything else ends
    the act with its reason. Nothing of it is written if the lease was lost. The password of a reset that is
    told as not done does not outlive its time, whatever became of its requests."""
    now, kind = systems.clock.now(), Work.ACT if begun is None else Work.STARTED_ACT
    with systems.db.read() as tx:
        probe_in = circuits.probe_in(systems, tx, failure, claim.lane)
    then = after(failure, act.attempts, kind, random.random(), probe_in=probe_in)  # noqa: S311 - jitter
    with systems.db.write() as tx:
        claimed = lease_rows.still_claimed(tx, claim.lease)
        if claimed is None:
            return False
        if then.wait is None:
            if begun is not None and act.kind is ActKind.RESET_PASSWORD:
                _expires(tx, begun.act, now)
            acts.finish(tx, claimed, act.id, ActState.FAILED, str(failure), now)
            return True
        says_itself = act.kind in NEVER_TWICE and act.state is ActState.WAITING
        acts.put_off(
            tx,
            claimed,
            act.id,
            now + then.wait,
            str(failure),
            certainly_not_done=says_itself or (then.step is Step.AGAIN and act.state is ActState.WAITING),
            burns=then.burns,
        )
    return False
