"""Looks at accounts that seem to differ, one by one, and writes down what is drift: only what nobody of ours is
changing, and only what Keycloak itself says of the one user. `compare` says whom to look at."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from mappings.drift import ACCEPT, REPAIR, REPORT, Reaction
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.spelling import only_respelled
from sync.domain.drift.anomaly import Anomaly, Irregularity
from sync.domain.drift.kinds import BY_A_LOOK, KINDS, Drift, Kind, drift_of, refuses_user
from sync.domain.drift.undone import WITHIN, Undone, may_stand, undone
from sync.domain.provisioning.aspect import Aspect
from sync.domain.provisioning.desired import desired_state
from sync.domain.work.claimed import ClaimedJob
from sync.jobs.drift.readable_users import ReadableUsers, Unreadable
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.store import mappings
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.drift import findings, touches
from sync.store.drift.findings import Finding, Subject
from sync.store.provisioning import attempts, work_state
from sync.store.provisioning.work_state import WorkState


@dataclass(frozen=True, slots=True)
class Judged:
    """`to_accept`: what the file says to accept, each with the version of its account that was compared.
    `left_out`: account ids of whom nothing can be said now. `unreadable`: those whose users Keycloak cannot
    show; what was found of them before stays, beside the finding that says so."""

    looked_at: int = 0
    differing: int = 0
    to_repair: tuple[Finding, ...] = ()
    to_accept: tuple[tuple[Finding, int], ...] = ()
    left_out: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()

    def __add__(self, other: Judged) -> Judged:
        return Judged(
            self.looked_at + other.looked_at,
            self.differing + other.differing,
            self.to_repair + other.to_repair,
            self.to_accept + other.to_accept,
            self.left_out | other.left_out,
            self.unreadable | other.unreadable,
        )

    @property
    def unjudged(self) -> frozenset[str]:
        """Whose findings of before are not ended."""
        return self.left_out | self.unreadable


@dataclass(frozen=True, slots=True)
class _Look:
    """`begun`: what Keycloak showed is not older than this. Several jobs look, and the one that writes last need
    not have looked last."""

    account: Account
    state: WorkState
    begun: datetime
    drift: tuple[Drift, ...]
    unreadable: bool = False


def judge(
    systems: Systems, keep: KeepLease, account_ids: Collection[str], note: Callable[[], None] = lambda: None
) -> Judged:
    """Look at these accounts in Keycloak and keep what differs; returns what is to be repaired and accepted. Five
    requests an account; `note` is called before each look, as a sign of life. A user that cannot be read is a
    finding of its own. Raises a Failure if Keycloak cannot be asked at all, Transient if other mapping files came
    into force or the job is somebody else's by now."""
    before = _states(systems, account_ids)
    single = ReadableUsers(systems, note)
    looks = [_look(systems, single, account, state) for account, state in before if settled(state)]
    after = {account.id: state for account, state in _states(systems, [look.account.id for look in looks])}
    sure = [look for look in looks if after.get(look.account.id) == look.state]
    now = systems.clock.now()
    with systems.db.write() as tx:
        mappings.refuse_outdated(tx, systems.policy_number)
        to_repair, to_accept = _written(systems, tx, keep.claimed(tx), sure, now)
    judged = {look.account.id for look in sure}
    return Judged(
        looked_at=len(looks),
        differing=sum(bool(look.drift) for look in sure),
        to_repair=tuple(to_repair),
        to_accept=tuple(to_accept),
        left_out=frozenset(account_ids) - judged,
        unreadable=frozenset(look.account.id for look in sure if look.unreadable),
    )


def settled(state: WorkState) -> bool:
    """Nobody of ours is changing the account, or is about to: what differs is somebody else's doing."""
    idle = state.due_at is None and state.leased_until is None
    return idle and (state.applied or state.quarantine is not None)


def _states(systems: Systems, account_ids: Collection[str]) -> list[tuple[Account, WorkState]]:
    with systems.db.read() as tx:
        found = accounts.read_many(tx, account_ids)
        states = {account_id: work_state.of_account(tx, account_id) for account_id in found}
    return [
        (account, state)
        for account_id, account in found.items()
        if account.idp_user_id is not None and (state := states[account_id]) is not None
    ]


def _look(systems: Systems, single: ReadableUsers, account: Account, state: WorkState) -> _Look:
    desired, begun = desired_state(account, systems.policy), systems.clock.now()
    try:
        seen = single.at(str(account.idp_user_id))
    except Unreadable as reason:
        unread = Irregularity(Anomaly.UNREADABLE, None, str(reason))
        return _Look(account, state, begun, (unread,), unreadable=True)
    found = drift_of(desired, seen)
    if not state.applied:
        found = tuple(each for each in found if refuses_user(each.attribute))
    return _Look(account, state, begun, found)


def _written(
    systems: Systems, tx: Tx, claimed: ClaimedJob, looks: Collection[_Look], now: datetime
) -> tuple[list[Finding], list[tuple[Finding, int]]]:
    """Keep everything that was found, the accounts locked before (rule: account-before-finding); returns the
    findings to repair and those to accept."""
    to_repair: list[Finding] = []
    to_accept: list[tuple[Finding, int]] = []
    accounts.lock_all(tx, [look.account.id for look in looks])
    for look in looks:
        account = look.account
        subject = Subject(account.id, account.username, account.id, account.idp_user_id)
        still = {(each.attribute, each.key) for each in look.drift}
        findings.close_of_account(tx, claimed, account.id, still, _unknown(look), look.begun, now)
        found = [_noted(systems, tx, claimed, look, subject, each, now) for each in look.drift]
        undecided = [finding for finding in found if finding.state == "open"]
        to_accept.extend((each, look.state.wanted_version) for each in undecided if each.reaction == ACCEPT)
        if look.state.quarantine is None and not any(_stays_off(each) for each in undecided):
            to_repair.extend(each for each in undecided if each.reaction == REPAIR)
    return to_repair, to_accept


def _noted(
    systems: Systems,
    tx: Tx,
    claimed: ClaimedJob,
    look: _Look,
    subject: Subject,
    drift: Drift,
    now: datetime,
) -> Finding:
    """What comes back after each repair is for a person to mend, and not repaired any more where it may stand."""
    reaction = _reaction(systems, look.account, drift)
    back = _undone(tx, look, subject, drift, now) if reaction == REPAIR else None
    if back is not None and may_stand(drift):
        reaction = REPORT
    return findings.found(tx, claimed, subject, drift, reaction, look.begun, back)


def _undone(tx: Tx, look: _Look, subject: Subject, drift: Drift, now: datetime) -> Undone | None:
    """It stays known until the difference ends or a person has it repaired: then it is found out anew."""
    known = findings.live(tx, subject, drift)
    if known is not None and known.undone is not None:
        return known.undone
    since = now - WITHIN
    if known is not None and known.decided_at is not None:
        since = max(since, known.decided_at)
    repairs = attempts.repairs(tx, look.account.id, look.state.wanted_version, since)
    return undone(repairs, touches.of_account(tx, look.account.id), drift, now) if repairs else None


def _reaction(systems: Systems, account: Account, drift: Drift) -> Reaction:
    if drift.attribute is Aspect.MISSING and account.life is Life.INACTIVE:
        return REPORT
    reaction = systems.policy.drift.reaction(drift.attribute)
    return REPAIR if reaction == ACCEPT and only_respelled(drift.wanted, drift.found) else reaction


def _unknown(look: _Look) -> frozenset[Kind]:
    """Of what the look says nothing."""
    if look.unreadable:
        return frozenset(KINDS)
    if look.state.applied:
        return frozenset(KINDS) - BY_A_LOOK
    return frozenset(each for each in KINDS if not refuses_user(each)) - {Anomaly.UNREADABLE}


def _stays_off(finding: Finding) -> bool:
    """Somebody switched the user off, and nobody has decided about it: a repair of whatever else differs is a
    whole look, which would open the account. Nobody can use it meanwhile."""
    return finding.attribute is Aspect.SWITCHED_OFF and finding.reaction != REPAIR
