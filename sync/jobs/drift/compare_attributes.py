"""The slow pass over all attributes (H4): which account each user says it belongs to, and its technician. A brief
listing does not show them. Like the comparison it only reads and notes; unlike it, it goes on where it was
interrupted, for it takes long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from sync.commands.waking import wake
from sync.domain.accounts.account import Account
from sync.domain.drift.anomaly import Anomaly, Irregularity
from sync.domain.drift.kinds import ENDED_BY_ATTRIBUTE_PASS, drift_of
from sync.domain.drift.shrunken import refuse_shrunken
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.observed import ACCOUNT_ID, Seen
from sync.domain.work.lane import Lane
from sync.jobs.drift.accept_by_file import accept_by_file
from sync.jobs.drift.compare import Comparing, under_a_row
from sync.jobs.drift.judge import Judged, judge
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.ports.listing import UserAttributes
from sync.store.accounts import accounts, pages
from sync.store.drift import findings
from sync.store.drift.comparisons import Comparison
from sync.store.drift.findings import Subject

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Position:
    """How far a pass is. `first`: the number, by username, of the first user of the last page that was read; that
    page is read once more, for users may have been deleted meanwhile. `strays`: id of a user that is not ours, to
    its name and the mark it carries."""

    first: int = 0
    strays: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def kept(cls, state: Mapping[str, Any]) -> Position:
        strays = {user: (name, mark) for user, (name, mark) in state.get("strays", {}).items()}
        return cls(int(state.get("first", 0)), strays)

    def record(self) -> Mapping[str, Any]:
        return {"first": self.first, "strays": {user: list(each) for user, each in self.strays.items()}}


def compare_attributes(systems: Systems, keep: KeepLease) -> Comparison:
    """Read every user with its attributes once, from where an interrupted pass was. Raises like `compare`.

    A pass that goes on ends no findings: of whoever was read before the interruption it knows nothing any more.
    What was found there and is to be repaired is handed over by the next comparison, which looks at it again.
    """
    return under_a_row(systems, "attribute-pass", keep, _compare)


def _compare(comparing: Comparing) -> None:
    systems, keep = comparing.systems, comparing.keep
    start = Position.kept(keep.state)
    expected = sum(len(page) for page in pages.ids_in_keycloak(systems.db))
    judged, listed, first, strays = Judged(), 0, start.first, dict(start.strays)
    if first:
        log.info("the pass over all attributes goes on", user=first)
    for page in systems.listing.attributes(first=start.first):
        ours = _accounts_of(systems, page)
        suspects = [
            ours[user.idp_user_id].id
            for user in page
            if user.idp_user_id in ours and _differs(systems, ours[user.idp_user_id], user)
        ]
        judged += judge(systems, keep, suspects, comparing.note)
        strays |= {
            user.idp_user_id: (user.username, ", ".join(user.attributes[ACCOUNT_ID]))
            for user in page
            if user.idp_user_id not in ours and user.attributes.get(ACCOUNT_ID)
        }
        listed += len(ours)
        comparing.note(
            accounts=expected,
            users=comparing.counts.users + len(page),
            looked_at=judged.looked_at,
            left_out=len(judged.left_out),
            differing=judged.differing,
        )
        with systems.db.write() as tx:
            keep.save(tx, Position(first, strays).record())
        first += len(page)
    with systems.db.write() as tx:
        keep.save(tx, Position().record())
    if not start.first:
        refuse_shrunken(expected, listed, systems.policy.drift.most_missing_percent)
    accept_by_file(systems, judged.to_accept, keep)
    _end(comparing, strays, judged, whole=not start.first)


def _accounts_of(systems: Systems, page: Sequence[UserAttributes]) -> Mapping[str, Account]:
    """Id of the Keycloak user to its account, as both are now."""
    with systems.db.read() as tx:
        owners = pages.of_users(tx, [user.idp_user_id for user in page])
        found = accounts.read_many(tx, owners.values())
    return {user: found[account_id] for user, account_id in owners.items()}


def _differs(systems: Systems, account: Account, user: UserAttributes) -> bool:
    return bool(drift_of(desired_state(account, systems.policy), Seen(attributes=user.attributes)))


def _end(comparing: Comparing, strays: Mapping[str, tuple[str, str]], judged: Judged, *, whole: bool) -> None:
    """Users that carry the id of an account which has another user, or none: two users of one person, or one that
    is being created just now and is ours at the next pass. Or of an account that our database does not have."""
    systems = comparing.systems
    with systems.db.write() as tx:
        now, claimed = systems.clock.now(), comparing.keep.claimed(tx)
        comparing.lock_accounts(tx, ENDED_BY_ATTRIBUTE_PASS if whole else (), judged)
        ours = pages.of_users(tx, strays)
        known = accounts.known_ids(tx, {carried for _, carried in strays.values()})
        for user, (username, carried) in sorted(strays.items()):
            if user not in ours:
                lost = carried not in known and ", " not in carried
                anomaly = Anomaly.LOST_ACCOUNT if lost else Anomaly.STRAY_ACCOUNT_ID
                stray = Irregularity(anomaly, None, carried)
                findings.found(tx, claimed, Subject.of_user(user, username), stray, "report", now)
        if whole:
            findings.close_unseen(
                tx, claimed, ENDED_BY_ATTRIBUTE_PASS, comparing.row.started_at, judged.unjudged, now
            )
        comparing.hand_over(tx, judged)
        comparing.finish(tx, claimed)
    wake(systems, Lane.BULK)
