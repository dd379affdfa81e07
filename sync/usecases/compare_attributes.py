"""The slow pass over all attributes (H4): which account each user says it belongs to, and its technician. A brief
listing does not show them. Like the comparison it only reads and notes; unlike it, it goes on where it was
interrupted, for it takes long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import structlog

from sync.domain.account import Account
from sync.domain.desired import desired_state
from sync.domain.drift import Attribute, Difference, refuse_shrunken
from sync.domain.lane import Lane
from sync.domain.observed import ACCOUNT_ID, OWNED_ATTRIBUTES
from sync.ports.listing import UserAttributes
from sync.store import account_pages, accounts, drift
from sync.store.comparisons import Comparison
from sync.store.database import Tx
from sync.store.drift import Subject
from sync.usecases.accept_drift import accept_by_file
from sync.usecases.command import wake
from sync.usecases.compare import ONLY_BY_ATTRIBUTES, Comparing, Keep, under_a_row
from sync.usecases.judge_drift import Judged, judge
from sync.usecases.site import Site

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Position:
    """How far a pass is. `first`: the number, by username, of the first user of the last page that was read; that
    page is read once more, for users may have been deleted meanwhile. `strays`: id of a user that is not ours, to
    its name and the mark it carries."""

    first: int = 0
    strays: Mapping[str, tuple[str, str]] = field(default_factory=dict)


Save: TypeAlias = Callable[[Tx, Position], None]


def compare_attributes(
    site: Site,
    by: str,
    keep: Keep = lambda: None,
    start: Position = Position(),
    save: Save = lambda _tx, _position: None,
) -> Comparison:
    """Read every user with its attributes once, from `start` on. Raises like `compare`.

    A pass that goes on ends no findings: of whoever was read before the interruption it knows nothing any more.
    What was found there and is to be repaired is handed over by the next comparison, which looks at it again.
    """
    return under_a_row(site, "attribute-pass", by, keep, lambda comparing: _compare(comparing, start, save))


def _compare(comparing: Comparing, start: Position, save: Save) -> None:
    site = comparing.site
    expected = sum(len(page) for page in account_pages.ids_in_keycloak(site.db))
    judged, listed, first, strays = Judged(), 0, start.first, dict(start.strays)
    if first:
        log.info("the pass over all attributes goes on", user=first)
    for page in site.listing.attributes(first=start.first):
        ours = _accounts_of(site, page)
        suspects = [
            ours[user.idp_user_id].id
            for user in page
            if user.idp_user_id in ours and _differs(site, ours[user.idp_user_id], user)
        ]
        judged += judge(site, suspects, comparing.note)
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
        with site.db.write() as tx:
            save(tx, Position(first, strays))
        first += len(page)
    with site.db.write() as tx:
        save(tx, Position())
    if not start.first:
        refuse_shrunken(expected, listed, site.policy.drift.most_missing_percent)
    accept_by_file(site, judged.to_accept, comparing.note)
    _end(comparing, strays, judged, whole=not start.first)


def _accounts_of(site: Site, page: Sequence[UserAttributes]) -> Mapping[str, Account]:
    """Id of the Keycloak user to its account, as both are now."""
    with site.db.read() as tx:
        owners = account_pages.of_users(tx, [user.idp_user_id for user in page])
        found = accounts.read_many(tx, owners.values())
    return {user: found[account_id] for user, account_id in owners.items()}


def _differs(site: Site, account: Account, user: UserAttributes) -> bool:
    wanted = desired_state(account, site.policy).attributes
    return any(user.attributes.get(name, ()) != wanted.get(name, ()) for name in OWNED_ATTRIBUTES)


def _end(comparing: Comparing, strays: Mapping[str, tuple[str, str]], judged: Judged, *, whole: bool) -> None:
    """Users that carry the id of an account which has another user, or none: two users of one person, or one that
    is being created just now and is ours at the next pass."""
    site = comparing.site
    with site.db.write() as tx:
        now = site.clock.now()
        ours = account_pages.of_users(tx, strays)
        for user, (username, carried) in sorted(strays.items()):
            if user not in ours:
                difference = Difference(Attribute.STRAY_ACCOUNT_ID, None, carried)
                drift.found(tx, Subject.of_user(user, username), difference, "report", now)
        if whole:
            drift.close_unseen(tx, ONLY_BY_ATTRIBUTES, comparing.row.started_at, judged.unjudged, now)
        comparing.hand_over(tx, judged)
        comparing.finish(tx)
    wake(site, Lane.BULK)
