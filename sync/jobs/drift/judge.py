"""Looks at accounts that seem to differ, one by one, and writes down what is drift: only what nobody of ours is
changing, and only what Keycloak itself says of the one user. `compare` says whom to look at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from mappings.drift import ACCEPT, REPAIR
from sync.domain.accounts.account import Account, Life
from sync.domain.drift.differences import Attribute, Difference, differences
from sync.domain.provisioning.desired import desired_state
from sync.jobs.drift.readable_users import SingleLooks, Unreadable
from sync.jobs.systems import Systems
from sync.store import mappings
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.drift import findings
from sync.store.drift.findings import Finding, Subject
from sync.store.provisioning import work_state
from sync.store.provisioning.work_state import WorkState

OF_REFUSED_USERS = frozenset({Attribute.MISSING, Attribute.ACCOUNT_ID, Attribute.ADMINISTERS_REALM})
"""What explains a quarantine, and is told although something newer is still to be carried out."""


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
    account: Account
    state: WorkState
    differences: tuple[Difference, ...]
    unreadable: bool = False


def judge(systems: Systems, account_ids: Collection[str], keep: Callable[[], None] = lambda: None) -> Judged:
    """Look at these accounts in Keycloak and keep what differs; answers what is to be repaired and accepted. Five
    requests an account; `keep` is called before each look. A user that cannot be read is a finding of its own.
    Raises a Failure if Keycloak cannot be asked at all, Transient if other mapping files came into force."""
    before = _states(systems, account_ids)
    single = SingleLooks(systems, keep)
    looks = [_look(systems, single, account, state) for account, state in before if settled(state)]
    after = {account.id: state for account, state in _states(systems, [look.account.id for look in looks])}
    sure = [look for look in looks if after.get(look.account.id) == look.state]
    now = systems.clock.now()
    with systems.db.write() as tx:
        mappings.refuse_outdated(tx, systems.policy_number)
        to_repair, to_accept = _written(systems, tx, sure, now)
    judged = {look.account.id for look in sure}
    return Judged(
        looked_at=len(looks),
        differing=sum(bool(look.differences) for look in sure),
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


def _look(systems: Systems, single: SingleLooks, account: Account, state: WorkState) -> _Look:
    desired = desired_state(account, systems.policy)
    try:
        seen = single.at(str(account.idp_user_id))
    except Unreadable as reason:
        return _Look(account, state, (Difference(Attribute.UNREADABLE, None, str(reason)),), unreadable=True)
    found = differences(desired, seen)
    if not state.applied:
        found = tuple(each for each in found if each.attribute in OF_REFUSED_USERS)
    return _Look(account, state, found)


def _written(
    systems: Systems, tx: Tx, looks: Iterable[_Look], now: datetime
) -> tuple[list[Finding], list[tuple[Finding, int]]]:
    """Keep every difference; answers the findings to repair and those to accept."""
    to_repair, to_accept = [], []
    for look in looks:
        account = look.account
        subject = Subject(account.id, account.username, account.id, account.idp_user_id)
        still = {each.attribute for each in look.differences} | _unknown(look)
        findings.close_of_account(tx, account.id, still, now)
        repairs = look.state.quarantine is None and not _stays_off(systems, look)
        for difference in look.differences:
            reaction = systems.policy.drift.reaction(difference.attribute)
            if difference.attribute is Attribute.MISSING and account.life is Life.INACTIVE:
                reaction = "report"
            finding = findings.found(tx, subject, difference, reaction, now)
            if finding.state != "open":
                continue
            if reaction == ACCEPT:
                to_accept.append((finding, look.state.wanted_version))
            elif reaction == REPAIR and repairs:
                to_repair.append(finding)
    return to_repair, to_accept


def _unknown(look: _Look) -> frozenset[Attribute]:
    """Of what the look says nothing."""
    if look.unreadable:
        return frozenset(Attribute)
    if look.state.applied:
        return frozenset({Attribute.FEATURE_ROLE})
    return frozenset(Attribute) - OF_REFUSED_USERS - {Attribute.UNREADABLE}


def _stays_off(systems: Systems, look: _Look) -> bool:
    """Somebody switched the user off, and that is only to be reported: a repair of whatever else differs is a
    whole look, which would open the account. Nobody can use it meanwhile."""
    off = any(each.attribute is Attribute.SWITCHED_OFF for each in look.differences)
    return off and systems.policy.drift.reaction(Attribute.SWITCHED_OFF) != REPAIR
