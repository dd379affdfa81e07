"""Claims on accounts with work: made and given back (H1). What a lease is stands in `lease_rows`.

Two workers that claim at once pass each other by, on SQLite one after the other
(fact: sqlite-has-no-skip-locked).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Row,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
    update,
)

from sync.domain.accounts.account import Account
from sync.domain.acts import GIVES_ACCESS, Act, ActKind
from sync.domain.deactivation.request import OpenDeactivation
from sync.domain.work.claimed import ClaimedAccount
from sync.domain.work.lane import Lane
from sync.domain.work.takeovers import ALONE_AFTER, GIVEN_UP_AFTER
from sync.store import acts
from sync.store.accounts.rows import COLUMNS, from_row
from sync.store.database.tables import OPEN_ACT, account, act
from sync.store.database.tables import provisioning as work
from sync.store.database.transactions import Tx
from sync.store.deactivation import deactivations
from sync.store.work import lanes, lease_rows
from sync.store.work.lease_rows import GIVEN_BACK, Lease, Terms, free, new_claim


@dataclass(frozen=True, slots=True)
class Claim:
    """One account that a worker may work on while it keeps the lease. `claimed_until` is the time that the claim
    was made for.

    `took_over`: a worker ended over the account since it was last as wanted, and may have left something half
    done. `takeovers` is how many did in a row with no outcome between.
    `asked` is how often somebody had asked to look at the account when the claim was made; `wanted_at` is since
    when the wanted version is wanted. `acts` are the open ones of that moment.
    """

    account: Account
    wanted_version: int
    applied_version: int | None
    lease: Lease[ClaimedAccount] = field(compare=False)
    lane: Lane
    claimed_until: datetime
    attempts: int
    asked: int
    wanted_at: datetime | None = None
    deactivation: OpenDeactivation | None = None
    acts: tuple[Act, ...] = ()
    took_over: bool = False
    takeovers: int = 0


def claim(tx: Tx, lane: Lane, terms: Terms, limit: int) -> tuple[Claim, ...]:
    """Take up to `limit` accounts of the lane that are due and nobody works on, the longest due first. Over whom
    worker after worker ended is left to `claim_alone` and `claim_deadly`.

    One statement on both databases. The choice stands in a WITH of its own, which PostgreSQL evaluates once:
    inside the IN it might be evaluated again and lock more than the limit. SQLite has one writer and drops
    SKIP LOCKED.
    """
    return _claimed(tx, lane, terms, limit, work.c.takeovers < ALONE_AFTER)


def claim_alone(tx: Tx, lane: Lane, terms: Terms) -> tuple[Claim, ...]:
    """`claim` for one account that is suspected, or none: the one over which the fewest ended, for most of them
    only shared a batch with another."""
    suspected = and_(work.c.takeovers >= ALONE_AFTER, work.c.takeovers < GIVEN_UP_AFTER)
    return _claimed(tx, lane, terms, 1, suspected, work.c.takeovers)


def claim_deadly(tx: Tx, lane: Lane, terms: Terms) -> tuple[Claim, ...]:
    """`claim` for one account that no worker shall try again before a person wants it, or none."""
    return _claimed(tx, lane, terms, 1, work.c.takeovers >= GIVEN_UP_AFTER)


def _claimed(
    tx: Tx,
    lane: Lane,
    terms: Terms,
    limit: int,
    only: ColumnElement[bool],
    *first: ColumnElement[int],
) -> tuple[Claim, ...]:
    chosen = (
        select(work.c.account_id)
        .where(work.c.lane == lane.value, *claimable(terms.now), only, lanes.running(lane))
        .order_by(*first, work.c.due_at, work.c.account_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    return _claims(tx, sorted(_take(tx, chosen, terms), key=lambda row: (row.due_at, row.account_id)))


def claim_quarantined(tx: Tx, terms: Terms, limit: int) -> tuple[Claim, ...]:
    """Take up to `limit` accounts in quarantine that have an act which goes there too. Nothing else is done
    about such an account: whoever has it gives it back by `release`."""
    chosen = (
        select(work.c.account_id)
        .where(*_with_urgent_acts(terms.now), lanes.running(Lane.INTERACTIVE))
        .order_by(work.c.account_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    return _claims(tx, sorted(_take(tx, chosen, terms), key=lambda row: row.account_id))


def claim_one(tx: Tx, account_id: str, terms: Terms) -> Claim | None:
    """Take this account, whatever is due about it. None: somebody works on it. Whoever has it gives it back by
    `release`."""
    chosen = select(work.c.account_id).where(work.c.account_id == account_id, free(work, terms.now))
    claims = _claims(tx, list(_take(tx, chosen.with_for_update(skip_locked=True).cte("chosen"), terms)))
    return claims[0] if claims else None


LOOK_WAITS = timedelta(minutes=1)
"""So long a look that was asked for is worth having; then nobody waits for it any more."""


def claim_looks(tx: Tx, terms: Terms, limit: int) -> tuple[Claim, ...]:
    """Take up to `limit` accounts that somebody asked to be looked at, in quarantine or not; not those over which
    worker after worker ended. Nothing is done about them: whoever has one gives it back by `release`."""
    chosen = (
        select(work.c.account_id)
        .where(*_with_look_asked(terms.now), lanes.running(Lane.INTERACTIVE))
        .order_by(work.c.look_asked_at, work.c.account_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    return _claims(
        tx,
        sorted(_take(tx, chosen, terms), key=lambda row: (row.look_asked_at, row.account_id)),
    )


def any_looks(tx: Tx, now: datetime) -> bool:
    """True if `claim_looks` would find something."""
    return bool(tx.connection.scalar(select(exists().where(*_with_look_asked(now)))))


def _with_look_asked(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        work.c.look_asked_at.is_not(None),
        work.c.look_asked_at > now - LOOK_WAITS,
        free(work, now),
        work.c.takeovers < ALONE_AFTER,
    )


def _take(tx: Tx, chosen: CTE, terms: Terms) -> Sequence[Row[Any]]:
    """Lease these accounts, all with one token."""
    return tx.connection.execute(
        update(work)
        .where(work.c.account_id.in_(select(chosen.c.account_id)))
        .values(**new_claim(terms), interrupted=or_(work.c.interrupted, work.c.takeovers > 0))
        .returning(work)
    ).all()


def any_quarantined(tx: Tx, now: datetime) -> bool:
    """True if `claim_quarantined` would find something."""
    return bool(tx.connection.scalar(select(exists().where(*_with_urgent_acts(now)))))


def _with_urgent_acts(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """As `to_carry_out` chooses: one that comes again later holds those behind it back, unless it is an expiry."""
    waits = sorted(kind.value for kind in GIVES_ACCESS)
    earlier = act.alias("earlier")
    held_back = exists().where(
        earlier.c.account_id == act.c.account_id,
        text("earlier.state IN ('waiting', 'started')"),  # as the index says it
        earlier.c.id < act.c.id,
        earlier.c.due_at > now,
        earlier.c.kind != ActKind.EXPIRE_PASSWORD.value,
    )
    asked_for = exists().where(
        act.c.account_id == work.c.account_id,
        OPEN_ACT,
        act.c.due_at <= now,
        act.c.kind.not_in(waits),
        ~held_back,
    )
    return (
        work.c.quarantine_kind.is_not(None),
        free(work, now),
        asked_for,
    )


def due_lanes(tx: Tx, now: datetime) -> tuple[Lane, ...]:
    """The lanes that have something to claim: the sweep wakes them."""
    return tuple(
        lane
        for lane in (Lane.BULK, Lane.INTERACTIVE)
        if tx.connection.scalar(
            select(work.c.account_id).where(work.c.lane == lane.value, *claimable(now)).limit(1)
        )
    )


def claimable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Due, not in quarantine, and nobody at work on it, or nobody any more."""
    return (
        work.c.due_at <= now,
        work.c.quarantine_kind.is_(None),
        free(work, now),
    )


def new_up_to(tx: Tx, lane: Lane, now: datetime, limit: int) -> int:
    """How many accounts of the lane wait to be claimed for the first time since they were wanted so; counts no
    further than the limit. What comes again, because it is held, failed, or waits for something to be mended, may
    be due in any number for days."""
    new = (work.c.attempts == 0, work.c.held_work_orders.is_(None), work.c.waits_for.is_(None))
    waiting = (
        select(work.c.account_id).where(work.c.lane == lane.value, *claimable(now), *new).limit(limit).subquery()
    )
    return tx.connection.scalar(select(func.count()).select_from(waiting)) or 0


_ANYBODY_WAITS = select(
    or_(
        exists().where(
            work.c.lane == Lane.INTERACTIVE.value,
            work.c.due_at > bindparam("since"),
            work.c.due_at <= bindparam("now"),
            work.c.quarantine_kind.is_(None),
        ),
        exists().where(work.c.look_asked_at > bindparam("since")),
    )
)
"""Built once: it is asked before each request of the bulk lane, and to build it took longer than to ask."""


def anybody_waits(tx: Tx, since: datetime, now: datetime) -> bool:
    """True while something is under way of what has become due in the interactive lane, or was asked to be looked
    at, since then: claimed or not, but not done."""
    return bool(tx.connection.scalar(_ANYBODY_WAITS, {"since": since, "now": now}))


def release(tx: Tx, claim: Claim) -> bool:
    """Give the claim back with nothing done; workers that ended over the account are still counted. False: the
    lease was lost."""
    return lease_rows.write(tx, claim.lease, GIVEN_BACK) is not None


def _claims(tx: Tx, rows: list[Row[Any]]) -> tuple[Claim, ...]:
    ids = [row.account_id for row in rows]
    if not ids:
        return ()
    found = {
        row["id"]: from_row(row)
        for row in tx.connection.execute(select(*COLUMNS).where(account.c.id.in_(ids))).mappings()
    }
    opened = deactivations.open_for_many(tx, ids)
    asked_for = acts.open_for_many(tx, ids)
    return tuple(
        Claim(
            account=found[row.account_id],
            wanted_version=row.wanted_version,
            applied_version=row.applied_version,
            lease=Lease[ClaimedAccount](work.c.account_id, row.account_id, row.lease_token, row.lease_until),
            lane=Lane(row.lane),
            claimed_until=row.lease_until,
            attempts=row.attempts,
            asked=row.asked,
            wanted_at=row.wanted_at,
            deactivation=opened.get(row.account_id),
            acts=asked_for.get(row.account_id, ()),
            took_over=row.interrupted,
            takeovers=row.takeovers,
        )
        for row in rows
    )
